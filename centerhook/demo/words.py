"""What the demo's tickets and testers are made of."""

from __future__ import annotations

# Country, city, region, postal code, street.
PLACES = [
    ("US", "Portland", "OR", "97205", "SW Salmon Street"),
    ("US", "Austin", "TX", "78704", "South Lamar Boulevard"),
    ("US", "Minneapolis", "MN", "55401", "Washington Avenue"),
    ("CA", "Vancouver", "BC", "V6B 1A1", "Homer Street"),
    ("GB", "Leeds", "West Yorkshire", "LS1 4AP", "Boar Lane"),
    ("IE", "Galway", "County Galway", "H91 X8KD", "Shop Street"),
    ("DE", "München", "Bayern", "80331", "Sendlinger Straße"),
    ("DE", "Leipzig", "Sachsen", "04109", "Käthe-Kollwitz-Straße"),
    ("CH", "Luzern", "LU", "6003", "Hirschmattstrasse"),
    ("FR", "Grenoble", "Isère", "38000", "rue Thiers"),
    ("ES", "Bilbao", "Bizkaia", "48001", "Calle Ercilla"),
    ("NO", "Bergen", "Vestland", "5003", "Nygårdsgaten"),
    ("PL", "Kraków", "małopolskie", "31-042", "ulica Grodzka"),
    ("JP", "Sapporo", "Hokkaido", "060-0042", "Odori Nishi"),
    ("IN", "Bengaluru", "Karnataka", "560001", "Residency Road"),
    ("BR", "Curitiba", "PR", "80020-100", "Rua XV de Novembro"),
]

PEOPLE = """
Amara Okafor
Anders Lindqvist
Anja Hofmann
Aoife Brennan
Arjun Mehta
Beatriz Carvalho
Benedikt Maurer
Camille Fournier
Carlos Etxeberria
Chidi Nwosu
Clara Wiśniewska
Daniel O'Rourke
Dana Whitfield
Deepa Raghunathan
Diego Fuentes
Elif Yıldız
Emily Thornton
Erik Solheim
Fatima El Amrani
Felix Baumgartner
Francesca Riva
Gareth Pugh
Grace Kim
Hannah Steinberg
Haruto Nakagawa
Helena Duarte
Ibrahim Diallo
Ines Marchetti
Ivan Kovačević
Jack Ferris
Jana Nováková
Jasmine Walker
João Pereira
Jonas Gerber
Kaito Yamashita
Karolina Mazur
Katherine Lowell
Kwame Asante
Lars Bjørnstad
Leila Haddad
Liam Gallagher
Lucía Ortega
Maja Nyberg
Marcus Bell
Mateusz Zieliński
Mei-Ling Chen
Miriam Aldous
Nadia Petrova
Nikhil Deshpande
Noor van Dijk
Olivia Hartman
Oscar Villanueva
Priya Nair
Rachel Goldfarb
Rasmus Holm
Samuel Adeyemi
Sofia Papadopoulou
Tomáš Dvořák
Valentina Rossi
Yuki Tanabe
""".strip().splitlines()

COMPANIES = ["", "", "", "Alpine Club Allgäu", "Ridgeline Guides", "Fjord & Fell"]

# What is broken or wished for, for each project.
TRAILS = [
    "Offline map",
    "Route planner",
    "Live location sharing",
    "Elevation chart",
    "Watch sync",
    "GPX import",
    "Night mode",
    "Voice directions",
    "Photo upload",
    "Trip summary",
    "Login by e-mail link",
    "Weather overlay",
    "Search for huts",
    "Emergency contact",
    "Subscription page",
    "Battery saver",
]
STATION = [
    "Outdoor sensor",
    "Rain gauge",
    "Wind vane",
    "Base station display",
    "Pairing by Bluetooth",
    "Wi-Fi setup",
    "Firmware update",
    "Frost alarm",
    "History chart",
    "Web dashboard",
    "CSV export",
    "Two-station view",
    "Solar panel charging",
    "Pressure trend",
]
SYMPTOMS = [
    "freezes",
    "crashes the app",
    "shows an empty screen",
    "loses the last entry",
    "is several minutes late",
    "shows the wrong units",
    "ignores the chosen language",
    "drains the battery",
    "asks to log in again",
    "keeps spinning",
    "shows yesterday's data",
    'says "Unknown error 17"',
    "never finishes",
]
CIRCUMSTANCES = [
    "after rotating the phone",
    "without a network",
    "when coming back from the background",
    "with large text switched on",
    "after the update",
    "with more than 50 entries",
    "below 0 °C",
    "after crossing a time zone",
    "on the second day of a trip",
    "when two people share an account",
    "in the German version",
]
WISHES = [
    "let me undo the last change",
    "remember the last used settings",
    "offer a larger font",
    "let me share a link with friends",
    "work with one hand",
    "show metric & imperial side by side",
    "send a weekly summary",
    "let me sort by distance",
    "offer a widget for the home screen",
    "explain what the icons mean",
    "let me export everything",
    "work with a screen reader",
]
OPENINGS = [
    "Happened twice this week.",
    "Noticed this on a day trip with friends.",
    "This has been there since the first build.",
    "My partner sees the same on another phone.",
    "Not sure if this is new, but it is annoying.",
    "Seen while testing the checklist of week 3.",
]
STEPS = [
    "1. Open the app\n2. Choose {feature}\n3. Wait for ten seconds",
    "1. Start with a fresh install\n2. Log in\n3. Go to {feature} and tap twice",
    "1. Put the phone in flight mode\n2. Open {feature}\n3. Switch the network on",
    "1. Open {feature} on two devices\n2. Change something on the first one",
]
ENDINGS = [
    "Expected: it works as in 4.9.",
    "Expected: a message that says what to do next.",
    "Restarting the phone helps for a while 🙂",
    "I can send logs if you tell me where.",
    "Workaround: close the app & open it again.",
]
REASONS = [
    "I would use it on every trip.",
    "Several people in my hiking club asked for this.",
    "Other apps have it, and I miss it here.",
    "It would save me a lot of tapping with gloves on.",
    "Nice to have, no hurry.",
]
COMMENTS = [
    "Thanks for the report. We can reproduce it.",
    "Could you tell us the exact build number? It is under Settings → About.",
    "Sent to the platform team.",
    "A fix is in the next build; please try again then.",
    "Looks like the same cause as the sync problem of last week.",
    "We could not reproduce this yet. Does it still happen?",
]

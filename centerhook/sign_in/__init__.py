"""Who gets in: lock-out, second factor, single sign-on. See docs/sign-in.md."""

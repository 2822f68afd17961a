"""Makes rosters: photographs and lists -> templates and entitlements -> a signed file."""

"""Mail clients of the staff: what each of them does on the wire is data (`habits/*.toml`), played by `client.py`. Also
the real NeoMutt, driven in a terminal."""

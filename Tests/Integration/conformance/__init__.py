"""What RFC 9113, RFC 7541 and RFC 9112 demand of a server, as lists of cases that run against the
gateway, and by `compare` against other servers."""

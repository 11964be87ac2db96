import InferenceTypes

extension GatewayConfiguration {
    /// An address where clients connect.
    public struct Listener: Hashable, Sendable {
        public var address = "127.0.0.1"
        /// 0: any free port.
        public var port = 30_000
        /// nil: cleartext (HTTP/1.1 and h2c by prior knowledge).
        public var tls: ServerTLS?

        public init(address: String = "127.0.0.1", port: Int = 30_000, tls: ServerTLS? = nil) {
            self.address = address
            self.port = port
            self.tls = tls
        }

        /// True if who connects to `url` on this machine comes out here, as far as the texts tell.
        func isReached(by url: ServiceURL) -> Bool {
            guard port != 0, port == url.port else { return false }
            if address == url.host { return true }
            let isAnywhere = address == "0.0.0.0" || address == "::"
            return url.isLoopback
                && (isAnywhere || (address == "127.0.0.1" && url.host == "localhost"))
        }
    }

    /// A certificate chain and its key, both as PEM files.
    public struct ServerTLS: Hashable, Sendable {
        public var certificate: String
        public var key: String

        public init(certificate: String, key: String) {
            self.certificate = certificate
            self.key = key
        }
    }

    /// The listener of `/metrics`, `/workers` and the ops page.
    public struct Admin: Hashable, Sendable {
        public var address = "127.0.0.1"
        public var port = 29_000
        /// nil: no key is asked for.
        public var apiKeySHA256: KeyDigest?

        public init() {}
    }

    /// The building around the machines.
    public struct Site: Hashable, Sendable {
        /// Admission and routing keep the sum of all pools below this; nil: no cap.
        public var totalPowerLimit: Watts?
        /// Power usage effectiveness: watts at the building's meter per watt at the machines'.
        public var pue = 1.0
        /// Of the power above idle, the part that this gateway may place where several share the
        /// fleet: 0 to 1.
        public var powerShare = 1.0

        public init() {}
    }

    /// How endpoints are asked whether they live.
    public struct Probes: Hashable, Sendable {
        public var interval = TimeSpan.seconds(5)
        public var path = "/health"
        public var timeout = TimeSpan.seconds(1)

        public init() {}
    }

    /// How often engine and exporter pages are read.
    public struct Scrapes: Hashable, Sendable {
        public var interval = TimeSpan.seconds(1)

        public init() {}
    }

    /// Where everything that the scheduler is told is taken down.
    public struct Journal: Hashable, Sendable {
        /// nil: nowhere.
        public var path: String?
        /// The journal ends before the file grows beyond it.
        public var maxBytes = 1 << 30

        public init() {}
    }
}

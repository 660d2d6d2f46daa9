package import AlertRules
package import Deployment
package import Incidents
package import OakumEngine

/// Everything `oakum up` was told, validated. Paths are absolute.
package struct OakumConfiguration: Hashable, Sendable {
    /// Sockets, journal, history and logs lie here.
    package var state: String
    package var console: ConsoleSettings
    package var observeOnly: Bool
    package var services: [ServiceSettings]
    /// Who is told what.
    package var response: ResponseSettings

    package init(
        state: String, console: ConsoleSettings, observeOnly: Bool, services: [ServiceSettings],
        response: ResponseSettings = ResponseSettings()
    ) {
        self.state = state
        self.console = console
        self.observeOnly = observeOnly
        self.services = services
        self.response = response
    }
}

/// Where the console listens.
package struct ConsoleSettings: Hashable, Sendable {
    package var listen: ListenAddress
    /// A proxy that terminates TLS and checks who may look stands in front, so that another address than loopback is
    /// allowed.
    package var behindProxy: Bool

    package init(listen: ListenAddress, behindProxy: Bool = false) {
        self.listen = listen
        self.behindProxy = behindProxy
    }
}

/// A host and a port; port 0 lets the kernel choose.
package struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
    package var host: String
    package var port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// "127.0.0.1:8080", "[::1]:8080"; nil when the text is no such thing.
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65_535).contains(port)
        else { return nil }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty, !host.contains("/") else { return nil }
        self.init(host: host, port: port)
    }

    package var description: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}

/// One service. Times are seconds.
package struct ServiceSettings: Hashable, Sendable {
    package var name: String
    /// Path of the executable and its arguments.
    package var command: [String]
    package var environment: [String: String]
    /// The workers' working folder.
    package var directory: String
    /// Run as this user; nil: as Oakum itself.
    package var user: String?
    package var listen: ListenAddress
    package var workers: Int
    package var budgetBytes: Int64
    package var healthPath: String
    package var readyWithin: Double
    package var minimumHealthy: Double
    package var recycle: RecycleSettings
    package var heap: HeapSettings
    package var logBytes: Int64
    /// Policy and runbook.
    package var paging = ServicePaging()
    /// Which of its conditions are told.
    package var alerts = AlertSettings()
    /// Nil: it takes no releases.
    package var releases: ReleaseSettings?
}

/// How a service takes releases.
package struct ReleaseSettings: Hashable, Sendable {
    /// Nil: `releases/NAME` in the state folder.
    package var folder: String?
    /// A minisign public key: artefacts must be signed with it.
    package var publicKey: String?
    /// Program and arguments of a release, with `{{release}}` for its folder.
    package var command: [String]
    package var hook: [String] = []
    package var hookSeconds = 600.0
    package var tests: [ReleaseTest] = []
    package var deploys = DeploySettings()

    package init(command: [String]) {
        self.command = command
    }
}

/// Whether and how the workers' heaps are sampled.
package struct HeapSettings: Hashable, Sendable {
    /// The sampler is preloaded into the workers.
    package var sampler = false
    /// Mean bytes allocated from one sample to the next.
    package var sampleEveryBytes: Int64 = 512 << 10
    /// Where the workers write their heap files; nil: the state folder's own.
    package var folder: String?
    /// Any process of the same user may read the workers' memory (`PR_SET_PTRACER_ANY`): needed for types and holder
    /// chains where a ptrace scope applies and `oakum` is not root.
    package var readable = false
    /// Folders with unstripped copies of the program and its libraries, or their debug files: needed for the names of functions
    /// where the program is stripped.
    package var symbols: [String] = []

    package init() {}
}

/// When and how the workers of a service are replaced. Times are seconds.
package struct RecycleSettings: Hashable, Sendable {
    package var atPercent: Double = 85
    package var lead: Double = 30
    package var minimumInterval: Double = 5
    package var atMostPerHour: Int = 120
    package var capacityFloor: Int = 1
    package var drainDeadline: Double = 15

    package init() {}
}

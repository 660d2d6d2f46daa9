package import AlertRules
package import Incidents
package import Notify
package import OakumModel
package import Outbound
package import Paging
package import StrictYAML

/// The response side of `oakum.yaml`, read and checked: who is told what, through which channels, and when.
///
/// Nothing of it has to be configured: then pages go to a file in the state folder and to standard error.
package struct ResponseSettings: Hashable, Sendable {
    /// People, schedules, policies, and the names of all channels, those of the default included.
    package var plan: PagingPlan
    /// As configured; `channels(state:)` gives all of them.
    package var configuredChannels: [ChannelSettings]
    /// The channel `pages` is there, a file in the state folder.
    package var hasOwnFile: Bool
    /// For incidents of no service, and for services that name none.
    package var defaultPolicy: String?
    package var audiences: [AudienceSettings]
    package var hostAlerts: HostAlertSettings
    package var incidents: IncidentRules
    package var intake: IntakeSettings?
    /// Jobs that are missed when they fall silent.
    package var heartbeats: [JobSettings]
    /// Where links in pages lead, without a slash at its end; nil: to the console's own address.
    package var publicURL: String?
    package var deadMan: DeadManSettings?
    /// Where outgoing connections may go, and how.
    package var network: NetworkSettings
    /// What is not wrong, and yet not as it should be.
    package var warnings: [YAMLProblem]

    /// Nothing configured.
    package init() {
        plan = PagingPlan(channels: [Self.ownFile, Self.ownConsole])
        plan.policies = [
            EscalationPolicy(
                name: "default",
                steps: [EscalationStep(targets: [.channel(Self.ownFile), .channel(Self.ownConsole)])])
        ]
        configuredChannels = [ChannelSettings(name: Self.ownConsole, kind: .console)]
        hasOwnFile = true
        defaultPolicy = "default"
        audiences = []
        hostAlerts = HostAlertSettings()
        incidents = IncidentRules()
        heartbeats = []
        network = NetworkSettings()
        warnings = []
    }

    package static let ownFile = "pages"
    package static let ownConsole = "console"

    /// All channels, with the file of pages in this state folder where none was configured.
    package func channels(state: String) -> [ChannelSettings] {
        guard hasOwnFile else { return configuredChannels }
        let file = FileSettings(path: state + "/pages.jsonl")
        return [ChannelSettings(name: Self.ownFile, kind: .file(file))] + configuredChannels
    }
}

/// Where outgoing connections may go, and how: for channels, the dead-man URL, everything.
package struct NetworkSettings: Hashable, Sendable {
    package var policy = NetworkPolicy.publicOnly
    /// `http://HOST:PORT`, for everything that speaks HTTP.
    package var proxy: Secret?
    /// File with certificates (PEM) to trust instead of the system's.
    package var trustedCertificates: String?

    package init() {}
}

/// An address outside that is told "Oakum is alive", and raises an alarm when it no longer is.
package struct DeadManSettings: Hashable, Sendable {
    package var url: Secret
    /// Seconds from one call to the next.
    package var every: Double

    package init(url: Secret, every: Double) {
        self.url = url
        self.every = every
    }
}

/// Where other systems tell their alerts and deploys.
package struct IntakeSettings: Hashable, Sendable {
    package var listen: ListenAddress
    /// A proxy that terminates TLS stands in front.
    package var behindProxy: Bool
    /// Who may tell; empty: whoever reaches it, on loopback alone.
    package var tokens: [IntakeToken]

    package init(listen: ListenAddress, behindProxy: Bool = false, tokens: [IntakeToken] = []) {
        self.listen = listen
        self.behindProxy = behindProxy
        self.tokens = tokens
    }
}

package struct IntakeToken: Hashable, Sendable {
    /// Of the system that has it: "alertmanager".
    package var name: String
    package var token: Secret

    package init(name: String, token: Secret) {
        self.name = name
        self.token = token
    }
}

/// A job that says "I live" by asking for an address now and then.
package struct JobSettings: Hashable, Sendable {
    /// What people call it: "nightly backup".
    package var name: String
    /// Ends its address: 16 to 128 letters, digits, `_` and `-`.
    package var id: Secret
    package var service: String?
    /// Seconds that may pass from one sign of life to the next.
    package var every: Double
    package var severity: Severity

    package init(
        name: String, id: Secret, service: String? = nil, every: Double, severity: Severity = .error
    ) {
        self.name = name
        self.id = id
        self.service = service
        self.every = every
        self.severity = severity
    }
}

/// People outside of the team who are told in plain words. See `Incidents.Audience`.
package struct AudienceSettings: Hashable, Sendable {
    package var name: String
    package var channel: String
    package var address: String?
    /// Empty: all.
    package var services: Set<String>
    package var stages: Set<Audience.Stage>
    package var zone: ZoneRules

    package init(
        name: String, channel: String, address: String? = nil, services: Set<String> = [],
        stages: Set<Audience.Stage> = Set(Audience.Stage.allCases), zone: ZoneRules = .utc
    ) {
        self.name = name
        self.channel = channel
        self.address = address
        self.services = services
        self.stages = stages
        self.zone = zone
    }
}

/// When incidents page, end and come back; see `Incidents.IncidentSettings`. Times are seconds.
package struct IncidentRules: Hashable, Sendable {
    package var pagesFrom = Severity.error
    package var evidenceSeconds: Double = 10
    package var quietSeconds: Double = 300
    package var reopenSeconds: Double = 3_600
    package var forgottenSeconds: Double = 86_400
    package var updateSeconds: Double = 300

    package init() {}
}

import Foundation
import Notify
import OakumModel
import OakumTestKit
import Outbound
import Testing

/// Values that the tests of channels share.
enum Samples {
    static let now = WallTime(milliseconds: 1_795_255_200_000)

    static func page(
        _ channel: String = "main", id: String = "pg_0001", kind: PageKind = .opened, severity: Severity = .critical,
        address: String? = nil, title: String = "registrar: memory leak in VerificationContext.init",
        beginsThread: Bool = true
    ) -> Page {
        Page(
            id: id, kind: kind, incident: 12, channel: channel, address: address, person: "Ann Example",
            severity: severity, title: title,
            lines: ["worker 3 leaks 1.2 MiB/s; <255 MiB> in 38 to 52 s & counting", "Nothing is asked of you yet."],
            facts: [PageFact("time to limit", "38 to 52 s"), PageFact("type", "Array<UInt8>")],
            links: [
                PageLink(action: .acknowledge, title: "Acknowledge", url: "https://oakum.example.org/a/T0PSECRETLINK"),
                PageLink(action: .resolve, title: "Resolve", url: "https://oakum.example.org/r/T0PSECRETLINK"),
                PageLink(action: .show, title: "Show", url: "https://oakum.example.org/incidents/12"),
                PageLink(action: .runbook, title: "Runbook", url: "https://wiki.example.org/leaks?a=1&b=2"),
            ],
            thread: "incident-12", beginsThread: beginsThread, at: now)
    }

    /// What no channel may leave out.
    static let contents = [
        "registrar: memory leak in VerificationContext.init", "worker 3 leaks 1.2 MiB/s",
        "Nothing is asked of you yet.",
        "time to limit", "38 to 52 s", "https://oakum.example.org/a/T0PSECRETLINK",
        "https://oakum.example.org/r/T0PSECRETLINK", "https://oakum.example.org/incidents/12",
        "https://wiki.example.org/leaks?a=1&b=2", "pg_0001",
    ]

    /// The published example of Standard Webhooks.
    static let signingSecret = Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    static let routingKey = "R0UTINGKEY0123456789abcdefABCDEF"

    static func notifier(
        _ channels: ChannelSettings..., client: OutboundClient = OutboundClient(),
        console: @escaping @Sendable (String) -> Void = { _ in }
    ) throws -> Notifier {
        try Notifier(channels: channels, client: client, now: { now }, console: console)
    }

    static func loopback() throws -> NetworkPolicy {
        NetworkPolicy(allow: [try #require(.init("127.0.0.1"))])
    }

    static func channel(_ kind: ChannelSettings.Kind, seconds: Double = 15) throws -> ChannelSettings {
        ChannelSettings(name: "main", kind: kind, timeoutSeconds: seconds, network: try loopback())
    }
}

/// The members of a JSON object.
func object(_ bytes: [UInt8]) throws -> [String: Any] {
    guard let object = try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any] else {
        throw TestKitError("no JSON object: \(String(decoding: bytes, as: UTF8.self))")
    }
    return object
}

import Foundation
import OakumAPI
import OakumModel
import OakumRemote
import OakumTestKit
import Outbound
import Spawning
import Testing

/// Debian's Prometheus and Alertmanager beside a real `oakum up`, set up as `docs/api.md` says: an alert about Oakum itself goes all
/// the way round, and becomes an incident.
@Suite(
    .serialized, .tags(.realProcess), .timeLimit(.minutes(5)),
    .enabled(if: RealPeers.arePresent, "needs prometheus and prometheus-alertmanager"))
struct RealPeersTests {
    @Test func `Alertmanager's alert opens one incident, repeats are no news, and its end ends it`() async throws {
        try await withTemporaryFolder { folder in
            try await withOakum(RealPeers.configuration(folder), in: folder) { oakum in
                let peers = try await RealPeers(oakum)
                try await peers.withAlertmanager { alertmanager in
                    try await peers.withPrometheus(telling: alertmanager) { prometheus in
                        _ = try await peers.sample("up", of: prometheus) { $0 == 1 }
                        #expect(try await oakum.incidents.incidents(IncidentQuery()).isEmpty)

                        let incident = try await peers.pausedIncident()
                        #expect(incident.alerts.map(\.kind) == [.outside] && incident.state == .open)
                        #expect(incident.severity == .error && incident.service == nil)
                        #expect(incident.title.hasPrefix("Oakum has been paused by hand"))
                        // Told again and again: Alertmanager counts that, and Oakum makes nothing of it.
                        try await peers.metric("alertmanager_notifications_total", of: alertmanager) { $0 >= 4 }
                        try await peers.metric("alertmanager_notifications_failed_total", of: alertmanager) { $0 == 0 }
                        #expect(try peers.pages().map(\.data.kind) == [.opened])
                        try await peers.endsWithThePause(incident.id)
                    }
                }
            }
        }
    }

    @Test func `Prometheus alone may tell it, and telling it both ways is telling it once`() async throws {
        try await withTemporaryFolder { folder in
            try await withOakum(RealPeers.configuration(folder), in: folder) { oakum in
                let peers = try await RealPeers(oakum)
                try await peers.withPrometheus(telling: nil) { prometheus in
                    _ = try await peers.sample("up", of: prometheus) { $0 == 1 }
                    let incident = try await peers.pausedIncident()
                    let fingerprint = try #require(incident.alerts.first?.fingerprint)
                    // As Alertmanager would name it: it computes the same from the labels, as it does for all it is told.
                    let address = oakum.console.dropFirst("http://".count)
                    let labels = [
                        "alertname": "OakumIsPaused", "instance": String(address), "job": "oakum", "severity": "error",
                    ]
                    try await peers.withAlertmanager { alertmanager in
                        try await peers.push(labels, to: alertmanager)
                        try await peers.metric("alertmanager_notifications_total", of: alertmanager) { $0 >= 1 }
                        try await peers.metric("alertmanager_notifications_failed_total", of: alertmanager) { $0 == 0 }
                    }
                    let all = try await oakum.incidents.incidents(IncidentQuery())
                    #expect(all.map(\.id) == [incident.id])
                    #expect(all.first?.alerts.map(\.fingerprint) == [fingerprint])
                    try await peers.endsWithThePause(incident.id)
                }
            }
        }
    }

    @Test func `the rules and the metrics are what promtool wants`() async throws {
        try await withTemporaryFolder { folder in
            let rules = folder.file("rules.yml")
            try RealPeers.block("oakum-rules.yml").write(toFile: rules, atomically: true, encoding: .utf8)
            let check = try await RealPeers.shell("promtool check rules \(rules)")
            #expect(check.exit == .code(0), "\(check.output)")
            try await withOakum(RealPeers.configuration(folder), in: folder) { oakum in
                _ = try await oakum.allServing(1)
                let metrics = try await request("GET", oakum.console + "/metrics").body
                let file = folder.file("metrics.txt")
                try Data(metrics).write(to: URL(filePath: file))
                let lint = try await RealPeers.shell("promtool check metrics <\(file)")
                #expect(lint.exit == .code(0), "\(lint.output)")
            }
        }
    }
}

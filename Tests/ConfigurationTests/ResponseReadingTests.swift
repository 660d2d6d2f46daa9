import AlertRules
import Incidents
import Notify
import OakumApp
import OakumModel
import OakumTestKit
import Outbound
import Paging
import Testing

@Suite
struct ResponseReadingTests {
    @Test func `without a word about it pages go to a file in the state folder and to standard error`() throws {
        let configuration = try read("state: /tmp/s")
        let channels = configuration.response.channels(state: configuration.state)
        #expect(channels.map(\.name) == ["pages", "console"])
        #expect(channels.map(\.kind) == [.file(FileSettings(path: "/tmp/s/pages.jsonl")), .console])
        #expect(configuration.response.plan.channels == ["pages", "console"])
        #expect(
            configuration.response.plan.problems(
                at: WallTime(milliseconds: 0), until: WallTime(milliseconds: 1)) == [])
        #expect(configuration.services[0].paging == ServicePaging(policy: "default"))
        #expect(
            configuration.response.plan.policy("default")?.steps[0].targets == [
                .channel("pages"), .channel("console"),
            ])
    }

    @Test func `a whole plan is read`() async throws {
        try await withTemporaryFolder { folder in
            try write("key", "routing", in: folder)
            let configuration = try read(Self.whole, folder: folder.path, environment: ["SMTP_PASSWORD": "word"])
            let plan = configuration.response.plan
            #expect(plan.people.map(\.name) == ["ada", "ben"])
            let ada = try #require(plan.person("ada"))
            #expect(ada.displayName == "Ada")
            #expect(ada.zone.name == "Europe/Vienna")
            #expect(
                ada.contacts == [
                    Contact(channel: "mail", address: "ada@example.org"), Contact(channel: "phone", afterSeconds: 120),
                ])
            let primary = try #require(plan.schedule("primary"))
            #expect(
                primary.rotations == [
                    Rotation(
                        members: ["ada", "ben"], start: try #require(CivilTime("2026-01-05 09:00")),
                        turnSeconds: 604_800)
                ])
            #expect(primary.overrides.map(\.person) == ["ben"])
            #expect(
                plan.policies == [
                    EscalationPolicy(
                        name: "default",
                        steps: [
                            EscalationStep(targets: [.schedule("primary")]),
                            EscalationStep(afterSeconds: 300, targets: [.person("ben"), .channel("chat")]),
                        ], repeats: 2, repeatAfterSeconds: 300, acknowledgementSeconds: 3_600)
                ])
            #expect(configuration.response.publicURL == "https://oakum.example.org")
            #expect(configuration.response.deadMan?.every == 60)
            #expect(configuration.response.intake?.listen == ListenAddress(host: "127.0.0.1", port: 9_105))
            let audience = try #require(configuration.response.audiences.first)
            #expect(audience.stages == [.impact, .restored])
            #expect(audience.services == ["registrar"])
            #expect(configuration.response.incidents.pagesFrom == .warning)
        }
    }

    @Test func `the book of incidents gets what was configured`() async throws {
        try await withTemporaryFolder { folder in
            try write("key", "routing", in: folder)
            let configuration = try read(Self.whole, folder: folder.path, environment: ["SMTP_PASSWORD": "word"])
            let settings = configuration.incidentSettings(installation: "t") { _, _, _ in [] }
            #expect(settings.policy(of: "registrar") == "default")
            #expect(settings.policy(of: nil) == "default")
            let audience = try #require(settings.audiences.first)
            // 2026-01-05 09:04 UTC.
            #expect(audience.clock(WallTime(milliseconds: 1_767_603_840_000)) == "10:04 CET")
        }
    }

    private static let whole = """
        people:
          - name: ada
            display: Ada
            time_zone: Europe/Vienna
            contact: [{channel: mail, address: ada@example.org}, {channel: phone, after: 2m}]
          - {name: ben, contact: {channel: mail, address: ben@example.org}}
        channels:
          - name: mail
            smtp: {url: "smtp://mail.internal:587", from: oakum@example.org, username: oakum, password_env: SMTP_PASSWORD}
          - {name: chat, webhook: {url: "https://chat.example.org/x", headers: {X-Team: oakum}}}
          - {name: phone, ntfy: {server: "https://ntfy.sh", topic: oakum-test}, timeout: 5s}
        schedules:
          - name: primary
            time_zone: Europe/Vienna
            rotation: {every: 1w, handover: "Mon 09:00", start: 2026-01-05, members: [ada, ben]}
            overrides: [{person: ben, from: "2026-12-24 00:00", to: "2026-12-26 00:00"}]
        policies:
          - name: default
            steps: [{notify: [schedule primary]}, {after: 5m, notify: [person ben, channel chat]}]
            repeat: 2
            acknowledgement: 1h
        audiences:
          - {name: business, channel: chat, services: [registrar], when: [impact, restored], time_zone: Europe/Vienna}
        incidents: {pages_from: warning, resolve_after: 1min}
        intake: {listen: "127.0.0.1:9105"}
        public_url: https://oakum.example.org/
        dead_man: {url: "https://watch.example.org/oakum"}
        network: {allow: [10.0.0.0/8, mail.internal]}
        """

    @Test func `outgoing connections may go where the network key says, and every channel knows`() async throws {
        try await withTemporaryFolder { folder in
            let configuration = try read(Self.whole, folder: folder.path, environment: ["SMTP_PASSWORD": "word"])
            let allow = try ["10.0.0.0/8", "mail.internal"].map { try #require(NetworkPolicy.Permit($0)) }
            #expect(configuration.response.network.policy == NetworkPolicy(allow: allow))
            for channel in configuration.response.channels(state: "/s") {
                #expect(channel.network == NetworkPolicy(allow: allow))
            }
            #expect(configuration.response.channels(state: "/s").map(\.timeoutSeconds) == [15, 15, 5])
        }
    }

    @Test func `jobs that are missed when they fall silent are read, and their ids are not shown`() async throws {
        try await withTemporaryFolder { folder in
            try write("0123456789abcdef\n", "backup", in: folder)
            let text = """
                heartbeats:
                  - {name: nightly backup, id_file: backup, every: 26h, service: registrar, severity: warning}
                  - {name: report, id_env: REPORT, every: 1w}
                """
            let configuration = try read(
                text, folder: folder.path, environment: ["REPORT": "fedcba9876543210_-"])
            #expect(
                configuration.response.heartbeats == [
                    JobSettings(
                        name: "nightly backup", id: Secret("0123456789abcdef"), service: "registrar", every: 93_600,
                        severity: .warning),
                    JobSettings(name: "report", id: Secret("fedcba9876543210_-"), every: 604_800),
                ])
            #expect(!"\(configuration)".contains("0123456789abcdef"))
        }
    }

    @Test func `a service may page nobody, while others go by the default`() throws {
        let services =
            oneService + "    policy: none\n"
            + oneService.split(separator: "\n").dropFirst().joined(separator: "\n")
            .replacing("registrar", with: "other")
        let configuration = try read("", services: services)
        #expect(configuration.services.map(\.paging.pagesNobody) == [true, false])
        let settings = configuration.incidentSettings(installation: "t") { _, _, _ in [] }
        #expect(settings.policy(of: "registrar") == nil)
        #expect(settings.policy(of: "other") == "default")
    }

    @Test func `channels without a policy are all told`() throws {
        let text = """
            channels:
              - {name: a, console: {}}
              - {name: b, smtp: {url: "smtps://mail.example.org", from: o@example.org}}
              - {name: c, file: {path: x.jsonl, format: text}}
            """
        let plan = try read(text).response.plan
        #expect(plan.policy("default")?.steps.map(\.targets) == [[.channel("a"), .channel("c")]])
    }
}

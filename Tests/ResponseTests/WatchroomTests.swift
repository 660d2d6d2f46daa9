import DurableOutbox
import Foundation
import Incidents
import OakumAPI
import OakumEngine
import OakumModel
import OakumTestKit
import Paging
import Testing

/// Whole stories from alert to receipt, with real tables and hours that pass in a moment.
@Suite(.timeLimit(.minutes(5)))
struct WatchroomTests {
    private static let people = [
        Person(name: "ada", displayName: "Ada", contacts: [Contact(channel: "mail", address: "ada@example.org")]),
        Person(
            name: "ben", displayName: "Ben",
            contacts: [
                Contact(channel: "chat"), Contact(channel: "phone", afterSeconds: 60),
            ]),
    ]

    private func settings(
        _ steps: [EscalationStep], repeats: Int = 0, schedules: [Schedule] = []
    ) -> IncidentSettings {
        let policy = EscalationPolicy(name: "default", steps: steps, repeats: repeats, repeatAfterSeconds: 600)
        return IncidentSettings(
            plan: PagingPlan(
                people: Self.people, schedules: schedules, policies: [policy],
                channels: ["mail", "chat", "phone", "last"]), defaultPolicy: "default")
    }

    private static let twoSteps = [
        EscalationStep(targets: [.person("ada")]), EscalationStep(afterSeconds: 300, targets: [.channel("last")]),
    ]

    private func withRoom(
        _ settings: IncidentSettings, clocks: MachineClocks? = nil,
        rule: @escaping @Sendable (Page, Int, Duration) -> OutboxAnswer = { _, _, _ in .delivered(receipt: "ok") },
        _ body: (Watchroom) throws -> Void
    ) async throws {
        let clocks = try clocks ?? MachineClocks()
        try await withTemporaryFolder { folder in
            try await Watchroom.run(
                settings, path: folder.file("incidents.sqlite"), clocks: clocks, post: PostOffice(clocks, rule: rule)
            ) { room in
                try body(room)
                try room.finish()
            }
        }
    }

    @Test func `an alert told a hundred times is one page, and whoever takes it on is left in peace`() async throws {
        try await withRoom(settings(Self.twoSteps)) { room in
            let id = try room.tell("disk")
            room.expect(.opened, "mail", of: id)
            for _ in 0..<100 {
                #expect(try room.tell("disk") == id)
                try room.wait(1)
            }
            try room.acknowledge(id)
            try room.wait(3_600)
            room.expectNothing()
            try room.tell("disk", .resolved)
            room.expect(.resolved, "mail", of: id)
        }
    }

    @Test func `every step comes at its time, the last resort after hours too, and then nothing more`() async throws {
        let steps =
            Self.twoSteps + [
                EscalationStep(afterSeconds: 3 * 3_600, targets: [.person("ben")])
            ]
        try await withRoom(settings(steps)) { room in
            let begin = room.clocks.virtual.now.offset
            let id = try room.tell("disk")
            room.expect(.opened, "mail", of: id)
            try room.wait(299)
            room.expectNothing()
            try room.wait(2)
            room.expect(.escalated, "last", of: id)
            try room.wait(3 * 3_600 - 2)
            room.expectNothing()
            try room.wait(62)
            let chat = try #require(room.expect(.escalated, "chat", of: id)).at - begin
            let phone = try #require(room.expect(.escalated, "phone", of: id)).at - begin
            #expect(chat >= .seconds(11_100) && chat < .seconds(11_102))
            #expect(phone >= .seconds(11_160) && phone < .seconds(11_162))
            try room.wait(1_800)
            #expect(try room.report(id).timeline.count { $0.kind == .exhausted } == 1)
        }
    }

    @Test func `who is on call when a step is due is told, also in the night when clocks change`() async throws {
        let rule = try #require(YearlyRule(posix: "CET-1CEST,M3.5.0,M10.5.0/3"))
        let zone = ZoneRules(
            name: "Europe/Vienna", first: ZonePeriod(offsetSeconds: 3_600, abbreviation: "CET"), rule: rule)
        // Handed over at half past two, which there is not that night: clocks go from two to three.
        let rotation = Rotation(
            members: ["ben", "ada"], start: try #require(CivilTime("2026-03-28 02:30")), turnSeconds: 86_400)
        let schedule = Schedule(name: "primary", zone: zone, rotations: [rotation])
        let steps = [
            EscalationStep(targets: [.schedule("primary")]),
            EscalationStep(afterSeconds: 1_200, targets: [.schedule("primary")]),
        ]
        // 01:50 in Vienna.
        let clocks = try MachineClocks("2026-03-29T00:50:00Z")
        try await withRoom(settings(steps, schedules: [schedule]), clocks: clocks) { room in
            let id = try room.tell("disk")
            room.expect(.opened, "chat", of: id)
            try room.wait(61)
            room.expect(.opened, "phone", of: id)
            try room.wait(1_140)
            room.expect(.escalated, "mail", of: id)
        }
    }

    @Test func `a step with nobody in it is said, and the next one comes at once`() async throws {
        let zone = ZoneRules(name: "UTC", first: ZonePeriod(offsetSeconds: 0, abbreviation: "UTC"))
        let empty = Schedule(name: "empty", zone: zone, rotations: [])
        let steps = [EscalationStep(targets: [.schedule("empty")])] + Self.twoSteps.dropFirst()
        try await withRoom(settings(steps, schedules: [empty])) { room in
            let id = try room.tell("disk")
            room.expect(.escalated, "last", of: id)
            #expect(try room.report(id).timeline.contains { $0.kind == .exhausted && $0.text.contains("step 1") })
        }
    }

    @Test func `a receiver that is down for an hour delays its own page, and no step`() async throws {
        try await withRoom(
            settings(Self.twoSteps),
            rule: { page, _, at in
                page.channel == "mail" && at < .seconds(3_600)
                    ? .again(after: nil, words: "connection refused") : .delivered(receipt: "ok")
            }
        ) { room in
            let id = try room.tell("disk")
            try room.wait(301)
            room.expect(.escalated, "last", of: id)
            try room.wait(3_240)
            room.expectNothing()
            try room.wait(180)
            let late = room.expect(.opened, "mail", of: id)
            #expect(late.map { $0.attempt > 30 && $0.attempt < 120 } == true)
            #expect(try room.report(id).deliveries.allSatisfy { $0.state == .delivered })
        }
    }

    @Test func `a dead letter makes the next step due at once`() async throws {
        try await withRoom(
            settings(Self.twoSteps),
            rule: { page, _, _ in page.channel == "mail" ? .refused(words: "550") : .delivered(receipt: "ok") }
        ) { room in
            let id = try room.tell("disk")
            room.expect(.escalated, "last", of: id)
            #expect(room.post.all.map(\.page.channel) == ["mail", "last"])
            #expect(room.clocks.virtual.now.offset < .seconds(1))
        }
    }

    @Test func `whoever was paged hears of the end, and a page that still waits is withdrawn by it`() async throws {
        let steps = [EscalationStep(targets: [.person("ben")])] + Self.twoSteps.dropFirst()
        try await withRoom(settings(steps)) { room in
            let id = try room.tell("disk")
            room.expect(.opened, "chat", of: id)
            try room.wait(30)
            // The phone would have rung in half a minute: now it only hears that it is over.
            try room.tell("disk", .resolved)
            room.expect(.resolved, "chat", of: id)
            room.expect(.resolved, "phone", of: id)
            try room.wait(120)
            let report = try room.report(id)
            #expect(
                report.deliveries.first { $0.page.channel == "phone" && $0.page.kind == .opened }?.state == .withdrawn)
        }
    }

    @Test func `of three hundred incidents at once the first page of each goes before anything else`() async throws {
        try await withRoom(settings(Self.twoSteps)) { room in
            var ids: [Int64] = []
            for number in 0..<300 {
                ids.append(try #require(try room.tell("alert \(number)")))
                // Between them there is other news, which may wait.
                if number % 3 == 0 { try room.acknowledge(ids[number], by: "ben") }
            }
            #expect(Set(ids).count == 300)
            #expect(room.clocks.virtual.now.offset < .seconds(1))
            let opened = room.post.all.filter { $0.page.kind == .opened }
            #expect(opened.map(\.page.incident) == ids.map { $0 })
            try room.wait(120)
            for id in ids {
                room.expect(.opened, "mail", of: id)
                if (Int(id) - 1) % 3 == 0 { room.expect(.acknowledged, "mail", of: id) }
            }
            for id in ids where (Int(id) - 1) % 3 != 0 { try room.acknowledge(id) }
        }
    }

    @Test func `while nothing can be stored alerts are refused, and steps that were due come when it is over`()
        async throws
    {
        try await withRoom(settings(Self.twoSteps)) { room in
            let id = try room.tell("disk")
            room.expect(.opened, "mail", of: id)
            try room.execute(
                "CREATE TRIGGER broken BEFORE INSERT ON incidents BEGIN SELECT RAISE(ABORT, 'no room'); END")
            #expect(throws: ControlError.self) { try room.tell("other") }
            try room.wait(400)
            room.expectNothing()
            #expect(try room.ask { await $0.problem } != nil)
            try room.execute("DROP TRIGGER broken")
            try room.wait(2)
            room.expect(.escalated, "last", of: id)
            #expect(try room.ask { await $0.problem } == nil)
            let other = try room.tell("other")
            #expect(other == id.map { $0 + 1 })
            room.expect(.opened, "mail", of: other)
            try room.acknowledge(other)
        }
    }

    @Test func `setting the wall clock moves no step, and after a sleep what is overdue comes once`() async throws {
        try await withRoom(settings(Self.twoSteps, repeats: 1)) { room in
            let id = try room.tell("disk")
            room.expect(.opened, "mail", of: id)
            room.clocks.setWall(by: 3_600)
            try room.wait(200)
            room.clocks.setWall(by: -7_200)
            try room.wait(99)
            room.expectNothing()
            try room.wait(2)
            room.expect(.escalated, "last", of: id)
            try room.sleep(8 * 3_600)
            // One repeat, and not as many as would have fitted into the night.
            room.expect(.escalated, "mail", of: id)
            try room.wait(302)
            room.expect(.escalated, "last", of: id)
            try room.wait(3_600)
        }
    }

    // MARK: - Restarts

    /// The room closes and opens again, several times, at random moments, sometimes after a reboot.
    @Test func `over restarts and reboots no step is skipped, none comes twice, and none comes early`() async throws {
        try await forAll(seeds: 12) { generator in
            let clocks = try MachineClocks()
            let post = PostOffice(clocks)
            let steps = (0..<4).map {
                EscalationStep(
                    afterSeconds: $0 == 0 ? 0 : 60, targets: [.channel(["mail", "chat", "phone", "last"][$0])])
            }
            let settings = settings(steps)
            let isDark = generator.chance(0.3)
            let pauses = (0..<5).map { _ in generator.double(0.0..<70.0) }
            try await withTemporaryFolder { folder in
                let path = folder.file("incidents.sqlite")
                for (number, pause) in pauses.enumerated() {
                    try await Watchroom.run(settings, path: path, clocks: clocks, post: post) { room in
                        if number == 0 { try room.tell("disk") }
                        try room.wait(pause)
                    }
                    if isDark, number == 2 { clocks.reboot(off: 30) }
                }
                try await Watchroom.run(settings, path: path, clocks: clocks, post: post) { room in
                    try room.wait(400)
                    let all = post.all
                    #expect(all.map(\.page.channel) == ["mail", "chat", "phone", "last"])
                    #expect(Set(all.map(\.page.id)).count == 4)
                    for (number, sent) in all.enumerated() where !isDark {
                        #expect(sent.at >= .seconds(60 * number) && sent.at < .seconds(60 * number + 2))
                    }
                    let report = try room.report(1)
                    #expect(report.deliveries.count { $0.state == .delivered } == 4)
                    #expect(report.timeline.count { $0.kind == .escalated } == 3)
                    for channel in ["mail", "chat", "phone", "last"] {
                        room.expect(channel == "mail" ? .opened : .escalated, channel, of: 1)
                    }
                    room.expectNothing()
                }
            }
        }
    }
}

import EngineTestKit
import Incidents
import OakumAPI
import OakumEngine
import OakumModel
import OakumTestKit
import Paging
import Testing

@Suite(.timeLimit(.minutes(10)))
struct IncidentDeskTests {
    private static let start = Moment(uptime: Uptime(seconds: 100), wall: WallTime(milliseconds: 1_700_000_000_000))

    private func withDesk(
        _ store: InMemoryIncidents = InMemoryIncidents(),
        _ body: (IncidentDesk<VirtualClock>, InMemoryIncidents, VirtualClock) async throws -> Void
    ) async throws {
        let plan = PagingPlan(
            policies: [EscalationPolicy(name: "default", steps: [EscalationStep(targets: [.channel("paper")])])],
            channels: ["paper"])
        let clock = VirtualClock()
        let origin = clock.now
        let desk = IncidentDesk(
            settings: IncidentSettings(plan: plan, services: ["web": ServicePaging()], defaultPolicy: "default"),
            store: store, outcomes: store, clock: clock,
            now: {
                let passed = origin.duration(to: clock.now) / .seconds(1)
                return Moment(
                    uptime: Self.start.uptime + passed,
                    wall: WallTime(milliseconds: Self.start.wall.milliseconds + Int64(passed * 1_000)))
            }, whenStored: { _ in })
        try await desk.begin()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await desk.run() }
            try await body(desk, store, clock)
            group.cancelAll()
        }
    }

    private func alert(_ fingerprint: String, service: String? = nil, status: Alert.Status = .firing) -> Alert {
        Alert(
            source: .intake, status: status, fingerprint: fingerprint, kind: .outside, service: service,
            severity: .critical, summary: "told by \(fingerprint)", since: Self.start, at: Self.start)
    }

    @Test func `an alert is answered when it is stored, with its incident and its page`() async throws {
        try await withDesk { (desk, store, _) async throws in
            let receipts = try await desk.take([.alert(alert("a")), .alert(alert("a")), .alert(alert("b"))])
            #expect(receipts.map(\.incident) == [1, 1, 2])
            #expect(receipts.map(\.isNew) == [true, false, true])
            #expect(store.now.commits == 1)
            #expect(store.now.pages.count == 2)
        }
    }

    @Test func `what cannot be stored has not happened`() async throws {
        try await withDesk { (desk, store, _) async throws in
            store.fail(with: .diskFull("no room"))
            await #expect(throws: ControlError.self) { try await desk.take([.alert(alert("a"))]) }
            store.fail(with: nil)
            let again = try await desk.take([.alert(alert("a"))])
            #expect(again.first?.isNew == true)
            #expect(store.now.records.keys.sorted() == [1])
        }
    }

    @Test func `alerts of its own that cannot be stored are tried again`() async throws {
        try await withDesk { (desk, store, clock) async throws in
            store.fail(with: .diskFull("no room"))
            await desk.take([alert("a")])
            #expect(store.now.records.isEmpty)
            store.fail(with: nil)
            try await eventually(
                "the alert is stored",
                holds: {
                    clock.advance(by: .seconds(1))
                    return store.now.records.count == 1
                })
        }
    }

    @Test func `what it says of a store that fails helps, and ends by itself when it works again`() async throws {
        try await withDesk { (desk, store, clock) async throws in
            #expect(await desk.problem == nil)
            store.fail(with: .diskFull("incidents.sqlite cannot grow. Make room"))
            await #expect(throws: ControlError.self) { try await desk.take([.alert(alert("a"))]) }
            let words = try #require(await desk.problem)
            #expect(words.contains("nobody is paged for what is new: incidents.sqlite cannot grow. Make room"))
            // The one whose alert was refused tries again some day: until then nothing needs to be stored.
            try await eventually(
                "the clock has tried",
                holds: {
                    clock.advance(by: .seconds(1))
                    return store.now.attempts > 1
                })
            #expect(await desk.problem != nil)
            store.fail(with: nil)
            try await eventually(
                "all is well again",
                holds: {
                    clock.advance(by: .seconds(1))
                    return await desk.problem == nil
                })
            #expect(store.now.records.isEmpty)
        }
    }

    @Test func `alerts that come together share transactions`() async throws {
        try await withDesk { (desk, store, _) async throws in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<400 {
                    group.addTask { _ = try await desk.take([.alert(alert("x\(number)", service: "web"))]) }
                }
                try await group.waitForAll()
            }
            #expect(store.now.records.count == 1)
            #expect(store.now.alerts.count == 400)
            #expect(store.now.pages.count == 1)
            #expect(store.now.commits <= 400)
        }
    }

    @Test func `what became of a page is noted once`() async throws {
        try await withDesk { (desk, store, _) async throws in
            _ = try await desk.take([.alert(alert("a"))])
            let page = try #require(store.now.pages.first)
            store.settle(
                PageOutcome(page: page.id, result: .delivered, attempts: 1, at: Self.start.wall, words: "receipt 7"))
            try await eventually("the outcome is noted", holds: { store.now.heard == [page.id] })
            let report = try await desk.incident(1)
            #expect(report.timeline.count { $0.kind == .paged } == 1)
            #expect(report.incident.milestones.paged == Self.start.wall)
        }
    }

    @Test func `a person's acts are durable when they are answered, and doing them again changes nothing`() async throws
    {
        try await withDesk { (desk, store, _) async throws in
            _ = try await desk.take([.alert(alert("a"))])
            #expect(try await desk.act(.acknowledge(1), by: "ada").changed)
            #expect(store.now.records[1]?.incident.state == .acknowledged)
            #expect(try await desk.act(.acknowledge(1), by: "ada").changed == false)
            await #expect(throws: ControlError.self) { try await desk.act(.acknowledge(9), by: "ada") }
            _ = try await desk.act(.resolve(1, "done"), by: "ada")
            #expect(store.now.records[1]?.incident.state == .resolved)
        }
    }

    @Test func `a service that is not ours is a label, not a service`() async throws {
        try await withDesk { (desk, store, _) async throws in
            _ = try await desk.take([.alert(alert("a", service: "elsewhere"))])
            #expect(store.now.records[1]?.incident.service == nil)
        }
    }
}

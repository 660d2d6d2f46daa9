import OakumAPI
import OakumHTTP
import OakumModel
import OakumTestKit
import Testing

/// What is known of jobs after a restart of Oakum.
@Suite struct HeartbeatRestartTests {
    private let plane = FakeIncidentPlane(FakeIncidentPlane.State())
    private let clock = HandClock()

    private var told: [Alert] {
        plane.taken.compactMap { if case .alert(let alert) = $0 { alert } else { nil } }
    }

    private func start(every: Double, _ folder: TemporaryFolder, boot: String = "one") -> HeartbeatDesk {
        HeartbeatDesk(
            [HeartbeatSettings(id: "0123456789abcdef", name: "backup", service: "web", every: every)], plane: plane,
            clock: clock.own, logger: quiet,
            file: HeartbeatFile(path: folder.file("heartbeats.seen"), bootID: boot))
    }

    @Test func `a restart puts off no alert`() async throws {
        try await withTemporaryFolder { folder in
            await start(every: 3_600, folder).look()
            clock.advance(3_000)
            let after = start(every: 3_600, folder)
            clock.advance(599)
            await after.look()
            #expect(told.isEmpty)
            clock.advance(2)
            await after.look()
            #expect(told.map(\.status) == [.firing])
            #expect(told.first?.since == Samples.moment(0))
        }
    }

    @Test func `a job can say again what it said while Oakum was away, also after a reboot`() async throws {
        try await withTemporaryFolder { folder in
            await start(every: 3_600, folder).look()
            clock.advance(7_200)
            let after = start(every: 3_600, folder, boot: "two")
            clock.advance(299)
            await after.look()
            #expect(told.isEmpty)
            clock.advance(2)
            await after.look()
            #expect(told.map(\.status) == [.firing])
        }
    }

    @Test func `a job of seconds has its full time after a start`() async throws {
        try await withTemporaryFolder { folder in
            await start(every: 10, folder).look()
            clock.advance(60)
            let after = start(every: 10, folder)
            clock.advance(9)
            await after.look()
            #expect(told.isEmpty)
            clock.advance(2)
            await after.look()
            #expect(told.map(\.status) == [.firing])
        }
    }
}

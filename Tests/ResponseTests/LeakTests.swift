import Incidents
import LeakTesting
import OakumEngine
import OakumModel
import OakumTestKit
import Paging
import Testing

/// Desk, store and dispatcher together, for as many incidents as there may come.
@Suite(.disabled(if: Sanitizer.isOn), .serialized, .timeLimit(.minutes(5)))
struct LeakTests {
    @Test func `a desk does not grow with incidents that are over and pages that were sent`() async throws {
        let clocks = try MachineClocks()
        let person = Person(name: "ada", displayName: "Ada", contacts: [Contact(channel: "mail", address: "a@b.org")])
        let policy = EscalationPolicy(name: "default", steps: [EscalationStep(targets: [.person("ada")])])
        var settings = IncidentSettings(
            plan: PagingPlan(people: [person], policies: [policy], channels: ["mail"]), defaultPolicy: "default")
        // Incidents that are over are kept in mind for this long.
        settings.reopenSeconds = 20
        try await withTemporaryFolder { folder in
            try await Watchroom.run(
                settings, path: folder.file("incidents.sqlite"), clocks: clocks, post: PostOffice(clocks)
            ) { room in
                // SQLite keeps pages of what it has written, up to a megabyte of them: that is filled first.
                try room.execute(
                    """
                    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000)
                    INSERT INTO timeline (incident, at_ms, body) SELECT -i, i, hex(zeroblob(300)) FROM n
                    """)
                var number = 0
                // Everything happens on this thread and on the database's. libdispatch keeps the 64 bytes of each hand-over,
                // up to 1,024 of them a thread: 15 a call are no leak.
                try expectNoGrowth(of: .process, calls: 10, warmUp: 40, toleratingBytesPerCall: 1_500) {
                    number += 1
                    let id = try room.tell("alert \(number)")
                    try room.acknowledge(id)
                    try room.tell("alert \(number)", .resolved)
                    try room.wait(5)
                    #expect(room.post.all.map(\.page.incident) == [id, id], "told that it began and that it is over")
                    room.forget()
                }
            }
        }
    }
}

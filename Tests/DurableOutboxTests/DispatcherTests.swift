import DurableOutbox
import GRDB
import OakumTestKit
import Testing

/// The dispatcher on a virtual clock.
@Suite(.timeLimit(.minutes(2)))
struct DispatcherTests {
    @Test func `a message is sent at once, and its owner hears of it until it says so`() async throws {
        let machine = Machine()
        let bench = try Bench(clock: machine.clock)
        let receiver = FakeReceiver(machine.virtual) { _, _ in .delivered(receipt: "r1") }
        let notices = Recorder<OutboxNotice>()
        try await bench.delivering(to: receiver, machine: machine, notices: notices) { _ in
            #expect(try bench.enqueue(message("a", payload: [9, 8])) == [.queued])
            #expect(try bench.enqueue(message("a", payload: [7])) == [.known])
            try await eventually("the news", holds: { try bench.unheard().count == 1 })
        }
        #expect(receiver.sent == [FakeReceiver.Sent(id: "a", attempt: 1, at: .zero)])
        #expect(receiver.payloads["a"] == [9, 8])
        #expect(notices.values.contains(.outcomes))
        let outcome = try #require(try bench.unheard().first)
        #expect(outcome.state == .delivered)
        #expect(outcome.receipt == "r1")
        #expect(outcome.attempts == 1)
        try bench.heard(["a"])
        #expect(try bench.unheard() == [])
        #expect(try bench.counts() == OutboxCounts(delivered: 1))
    }
}

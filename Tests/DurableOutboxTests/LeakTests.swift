import DurableOutbox
import LeakTesting
import OakumTestKit
import Testing

/// What lives as long as Oakum must not grow with what it sends.
@Suite(.disabled(if: Sanitizer.isOn), .serialized, .timeLimit(.minutes(5)))
struct LeakTests {
    /// Answers by the message's name, and keeps nothing.
    private struct Receiver: OutboxSender {
        func send(_ message: OutboxMessage, attempt: Int, waypoints: Waypoints) async -> OutboxAnswer {
            switch message.kind {
            case "fails" where attempt == 1: .again(after: .seconds(5), words: "503")
            case "is refused": .refused(words: "400")
            default: .delivered(receipt: "taken")
            }
        }
    }

    /// One of each kind to one of three destinations, all of them answered, heard of and pruned.
    private func work(_ number: Int, _ bench: Bench, _ stepper: Stepper) throws {
        let to = "destination \(number % 3)"
        try bench.enqueue(
            OutboxMessage(id: "\(number) a", destination: to, kind: "works", payload: [1], giveUpAfter: .seconds(60)),
            OutboxMessage(
                id: "\(number) b", destination: to, kind: "fails", priority: .first, payload: [2],
                giveUpAfter: .seconds(60)),
            OutboxMessage(
                id: "\(number) c", destination: to, kind: "is refused", thread: "thread", payload: [3],
                giveUpAfter: .seconds(60)),
            OutboxMessage(
                id: "\(number) d", destination: to, kind: "works", payload: [4], notBefore: .seconds(30),
                giveUpAfter: .seconds(60)))
        _ = try bench.withdraw("\(number) d")
        try stepper.advance(by: .seconds(10))
        try bench.heard(try bench.unheard().map(\.id))
        _ = try bench.prune(.seconds(3600), keeping: 20)
    }

    @Test func `a dispatcher does not grow with messages that are delivered, refused, repeated or withdrawn`()
        async throws
    {
        let machine = Machine()
        let bench = try Bench(clock: machine.clock)
        let limits = OutboxLimits(inFlight: 2, ratePerSecond: 2, burst: 4)
        let settings = OutboxSettings(traffic: OutboxTraffic(limits: limits))
        try await bench.delivering(to: Receiver(), settings: settings, machine: machine) { stepper in
            var number = 0
            // The database works on its own thread. First 20 kept messages fill its tables.
            // libdispatch keeps the 64 bytes of each hand-over, up to 1,024 of them a thread: five a call are no leak.
            try expectNoGrowth(of: .process, calls: 10, warmUp: 40, toleratingBytesPerCall: 600) {
                number += 1
                try work(number, bench, stepper)
            }
        }
        #expect(try bench.counts().delivered <= 20)
    }

    @Test func `who is in flight is forgotten, of destinations that never come again too`() {
        var traffic = OutboxTraffic(limits: OutboxLimits(inFlight: 2, ratePerSecond: 1, burst: 3))
        var second: Int64 = 0
        // More than the 64 that are kept whatever they do.
        expectNoGrowth(warmUp: 200) {
            second += 1
            let (name, now) = ("destination \(second)", OutboxInstant(milliseconds: second * 1000))
            traffic.started(name, isFirst: second % 3 == 0, at: now)
            if second % 5 == 0 { traffic.hold(name, until: now.advanced(by: .seconds(20)), at: now) }
            traffic.ended(name, isFirst: second % 3 == 0, at: now)
        }
    }

    @Test func `a dispatcher that was stopped goes away with its outbox`() async throws {
        let machine = Machine()
        try await expectDeallocated {
            let bench = try Bench(clock: machine.clock)
            let dispatcher = bench.dispatcher(to: Receiver(), machine: machine)
            let stepper = Stepper(machine: machine, database: bench.database, dispatcher: dispatcher)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask(executorPreference: stepper.executor) { try await dispatcher.run() }
                try stepper.settle()
                try bench.enqueue(message("a"))
                try stepper.settle()
                dispatcher.stop()
                try stepper.advance(by: .seconds(60))
                try await group.waitForAll()
            }
            return (dispatcher, bench.outbox.bell)
        }
    }
}

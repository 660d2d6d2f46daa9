import DurableOutbox
import GRDB
import OakumTestKit
import Testing

/// The dispatcher on a virtual clock, one step after the other.
@Suite(.timeLimit(.minutes(2)))
struct DispatcherTests {
    private let machine = Machine()

    private func bench(patience: Duration = .seconds(300)) throws -> Bench {
        try Bench(clock: machine.clock, bounds: Outbox.Bounds(threadPatience: patience))
    }

    private func steady(
        _ steps: [Duration] = [.seconds(10)], traffic: OutboxTraffic = OutboxTraffic()
    ) -> OutboxSettings {
        OutboxSettings(schedule: RetrySchedule(steps: steps, jitter: 0), traffic: traffic)
    }

    @Test func `a message is sent at once, and its owner hears of it until it says so`() async throws {
        let bench = try bench()
        let receiver = FakeReceiver(machine.virtual) { _, _ in .delivered(receipt: "r1") }
        let notices = Recorder<OutboxNotice>()
        try await bench.delivering(to: receiver, machine: machine, notices: notices) { stepper in
            #expect(try bench.enqueue(message("a", payload: [9, 8])) == [.queued])
            #expect(try bench.enqueue(message("a", payload: [7])) == [.known])
            try stepper.settle()
            #expect(try bench.unheard().count == 1)
        }
        #expect(receiver.sent == [FakeReceiver.Sent(id: "a", attempt: 1, at: .zero)])
        #expect(receiver.payloads["a"] == [9, 8])
        #expect(notices.values.first == .outcomes)
        let outcome = try #require(try bench.unheard().first)
        #expect(outcome.state == .delivered)
        #expect(outcome.receipt == "r1")
        #expect(outcome.attempts == 1)
        try bench.heard(["a"])
        #expect(try bench.unheard() == [])
        #expect(try bench.counts() == OutboxCounts(delivered: 1))
    }

    @Test func `a receiver that is down gets the message by schedule, to the second`() async throws {
        let bench = try bench()
        let receiver = FakeReceiver(machine.virtual) { _, attempt in
            attempt < 5 ? .again(after: nil, words: "503") : .delivered(receipt: nil)
        }
        let settings = steady([1, 2, 5, 10].map { .seconds($0) })
        try await bench.delivering(to: receiver, settings: settings, machine: machine) { stepper in
            try bench.enqueue(message("a"))
            try stepper.advance(by: .seconds(3))
            #expect(try bench.pending().first?.words == "503")
            #expect(try bench.pending().first?.attempts == 3)
            try stepper.advance(by: .seconds(3600))
        }
        #expect(receiver.sent.map(\.at) == [0, 1, 3, 8, 18].map { .seconds($0) })
        #expect(receiver.sent.map(\.attempt) == [1, 2, 3, 4, 5])
        #expect(try bench.unheard().first?.attempts == 5)
    }

    @Test func `what nobody takes is given up with a last try at its deadline, and its owner hears why`() async throws {
        let bench = try bench()
        let receiver = FakeReceiver(machine.virtual) { _, _ in .again(after: nil, words: "connection refused") }
        try await bench.delivering(to: receiver, settings: steady([.seconds(40)]), machine: machine) { stepper in
            try bench.enqueue(message("a", giveUpAfter: .seconds(100)))
            try stepper.advance(by: .seconds(10_000))
        }
        #expect(receiver.sent.map(\.at) == [0, 40, 80, 100].map { .seconds($0) })
        let outcome = try #require(try bench.unheard().first)
        #expect(outcome.state == .dead)
        #expect(outcome.cause == .gaveUp)
        #expect(outcome.words == "connection refused")
    }

    @Test func `a refusal ends a message at once, and a dead one can be revived by hand`() async throws {
        let bench = try bench()
        let receiver = FakeReceiver(machine.virtual) { _, attempt in
            attempt == 1 ? .refused(words: "400") : .delivered(receipt: nil)
        }
        try await bench.delivering(to: receiver, machine: machine) { stepper in
            try bench.enqueue(message("a", payload: [5]))
            try stepper.advance(by: .seconds(10))
            #expect(try bench.unheard().first?.cause == .refused)
            try bench.heard(["a"])
            let revived = try await bench.database.write {
                try bench.outbox.revive(id: "a", giveUpAfter: .seconds(60), in: $0)
            }
            #expect(revived)
            try stepper.advance(by: .seconds(10))
        }
        #expect(receiver.sent.map(\.attempt) == [1, 2])
        #expect(receiver.payloads["a"] == [5])
        #expect(try bench.unheard().map(\.state) == [.delivered])
    }

    @Test func `a destination that is gone ends all of its messages, and takes no more until it is enabled`()
        async throws
    {
        let bench = try bench()
        let receiver = FakeReceiver(machine.virtual) { message, _ in
            message.destination == "gone" && message.id != "e" ? .disabled(words: "410") : .delivered(receipt: nil)
        }
        try await bench.delivering(to: receiver, machine: machine) { stepper in
            try bench.enqueue(
                message("a", to: "gone"), message("b", to: "gone", notBefore: .seconds(60)), message("c", to: "there"))
            try stepper.settle()
            #expect(try bench.unheard().map(\.cause) == [.disabled, .disabled, nil])
            #expect(try bench.enqueue(message("d", to: "gone")) == [.destinationDisabled])
            #expect(try bench.unheard().map(\.id) == ["a", "b", "c", "d"])
            try await bench.database.write { db in
                #expect(try bench.outbox.disabledDestinations(in: db) == ["gone": "410"])
                try bench.outbox.enable(destination: "gone", in: db)
            }
            #expect(try bench.enqueue(message("e", to: "gone")) == [.queued])
            try stepper.advance(by: .seconds(3600))
        }
        #expect(receiver.ids == ["a", "c", "e"] || receiver.ids == ["c", "a", "e"])
    }

    @Test func `a hanging destination keeps its own slots and delays nobody else`() async throws {
        let bench = try bench()
        let receiver = FakeReceiver(machine.virtual) { message, _ in
            message.destination == "hangs" ? nil : .delivered(receipt: nil)
        }
        let settings = steady(traffic: OutboxTraffic(limits: OutboxLimits(inFlight: 3), maximumInFlight: 4))
        try await bench.delivering(to: receiver, settings: settings, machine: machine) { stepper in
            for number in 0..<50 { try bench.enqueue(message("h\(number)", to: "hangs")) }
            try stepper.settle()
            for number in 0..<50 { try bench.enqueue(message("w\(number)", to: "works")) }
            try stepper.settle()
            #expect(receiver.ids.count { $0.hasPrefix("w") } == 50)
            #expect(receiver.ids.count { $0.hasPrefix("h") } == 3)
            #expect(machine.virtual.now.offset == .zero)
            // Its time over, the next three have their turn.
            try stepper.advance(by: .seconds(15))
            #expect(receiver.ids.count { $0.hasPrefix("h") } == 6)
            #expect(try bench.pending().first?.words == "no answer within 15.0 seconds")
        }
        #expect(receiver.most["hangs"] == 3)
    }

    @Test func `a first message passes a full queue, a spent rate and a pause`() async throws {
        let bench = try bench()
        let receiver = FakeReceiver(machine.virtual) { message, _ in
            message.priority == .first ? .delivered(receipt: nil) : .again(after: .seconds(600), words: "429")
        }
        let limits = OutboxLimits(inFlight: 2, ratePerSecond: 0.01, burst: 2)
        let settings = steady(traffic: OutboxTraffic(limits: limits))
        try await bench.delivering(to: receiver, settings: settings, machine: machine) { stepper in
            for number in 0..<100 { try bench.enqueue(message("m\(number)", priority: .urgent, thread: "t\(number)")) }
            try stepper.settle()
            #expect(receiver.ids.count == 2)
            // Behind an earlier message of its thread as well.
            for number in 0..<20 { try bench.enqueue(message("f\(number)", priority: .first, thread: "t\(number)")) }
            try stepper.settle()
        }
        #expect(receiver.sent.filter { $0.id.hasPrefix("f") }.count == 20)
        #expect(receiver.sent.allSatisfy { $0.at == .zero })
    }

    @Test func `a thread keeps its order while its head fails, and others go on`() async throws {
        let bench = try bench()
        let receiver = FakeReceiver(machine.virtual) { message, attempt in
            message.id == "a1" && attempt < 4 ? .again(after: nil, words: "503") : .delivered(receipt: nil)
        }
        try await bench.delivering(to: receiver, settings: steady(), machine: machine) { stepper in
            try bench.enqueue(
                message("a1", thread: "a"), message("a2", thread: "a"), message("b1", thread: "b"),
                message("a3", to: "elsewhere", thread: "a"))
            try stepper.advance(by: .seconds(29))
            #expect(Set(receiver.ids) == ["a1", "b1", "a3"])
            try stepper.advance(by: .seconds(10))
        }
        #expect(receiver.ids.filter { ["a1", "a2"].contains($0) } == ["a1", "a1", "a1", "a1", "a2"])
    }

    @Test(arguments: [OutboxAnswer.refused(words: "400"), .again(after: nil, words: "500")])
    func `a thread is not blocked by a dead message, nor by one that fails for too long`(answer: OutboxAnswer)
        async throws
    {
        let bench = try bench(patience: .seconds(60))
        let receiver = FakeReceiver(machine.virtual) { message, _ in
            message.id == "poison" ? answer : .delivered(receipt: nil)
        }
        try await bench.delivering(to: receiver, settings: steady(), machine: machine) { stepper in
            try bench.enqueue(message("poison", thread: "a"), message("a2", thread: "a"))
            try stepper.advance(by: .seconds(3600))
        }
        let second = try #require(receiver.sent.first { $0.id == "a2" })
        #expect(second.at == (answer == .refused(words: "400") ? .zero : .seconds(60)))
        #expect(receiver.ids.count { $0 == "a2" } == 1)
    }

    @Test func `withdrawing an attempt in flight makes it the last`() async throws {
        let bench = try bench()
        let receiver = FakeReceiver(machine.virtual) { _, _ in nil }
        try await bench.delivering(to: receiver, machine: machine) { stepper in
            try bench.enqueue(message("a"), message("b"))
            try stepper.settle()
            #expect(try bench.withdraw("a", "b").inFlight == ["a", "b"])
            receiver.answer("a", .again(after: nil, words: "503"))
            receiver.answer("b", .delivered(receipt: nil))
            try stepper.advance(by: .seconds(600))
        }
        #expect(receiver.ids == ["a", "b"])
        #expect(try bench.unheard().map(\.state) == [.withdrawn, .delivered])
    }

    @Test func `a graceful stop waits for attempts in flight, and frees what does not end`() async throws {
        let bench = try bench()
        let receiver = FakeReceiver(machine.virtual) { _, _ in nil }
        try await bench.delivering(to: receiver, machine: machine) { stepper in
            try bench.enqueue(message("ends"), message("hangs"))
            try stepper.settle()
            stepper.dispatcher.stop()
            try bench.enqueue(message("late"))
            try stepper.advance(by: .seconds(5))
            #expect(!stepper.hasEnded)
            receiver.answer("ends", .delivered(receipt: nil))
            try stepper.advance(by: .seconds(5))
            #expect(stepper.hasEnded)
        }
        #expect(try bench.unheard().map(\.id) == ["ends"])
        #expect(try bench.pending().map(\.id) == ["hangs", "late"])
        #expect(try bench.pending().map(\.state) == [.waiting, .waiting])
        #expect(try bench.pending().map(\.attempts) == [1, 0])
        // The next one goes on where this one stopped.
        let next = FakeReceiver(machine.virtual)
        try await bench.delivering(to: next, machine: machine) { try $0.settle() }
        #expect(next.sent.map(\.attempt) == [2, 1])
    }

    @Test func `clock steps of an hour change nothing, and a reboot costs as long as it took`() async throws {
        let bench = try bench()
        let failing = FakeReceiver(machine.virtual) { _, _ in .again(after: nil, words: "503") }
        try await bench.delivering(to: failing, settings: steady([.seconds(100)]), machine: machine) { stepper in
            try bench.enqueue(message("a", giveUpAfter: .seconds(10_000)))
            try stepper.advance(by: .seconds(50))
            machine.setWall(by: .seconds(3600))
            try stepper.advance(by: .seconds(49))
            #expect(failing.sent.count == 1)
            try stepper.advance(by: .seconds(1))
            #expect(failing.sent.count == 2)
            machine.setWall(by: .seconds(-7200))
            try stepper.advance(by: .seconds(99))
            #expect(failing.sent.count == 2)
            try stepper.advance(by: .seconds(1))
            #expect(failing.sent.count == 3)
        }
        machine.reboot(off: .seconds(60))
        let next = FakeReceiver(machine.virtual)
        try await bench.delivering(to: next, machine: machine) { stepper in
            #expect(next.sent == [])
            try stepper.advance(by: .seconds(28))
            #expect(next.sent == [])
            try stepper.advance(by: .seconds(2))
        }
        #expect(next.sent.map(\.attempt) == [4])
    }

    @Test func `two dispatchers never work on one file`() async throws {
        try await withTemporaryFolder { folder in
            let bench = try Bench(path: folder.file("outbox.sqlite"), clock: machine.clock)
            let receiver = FakeReceiver(machine.virtual)
            try await bench.delivering(to: receiver, machine: machine) { _ in
                let second = bench.dispatcher(to: receiver, machine: machine)
                await #expect(throws: OutboxError.taken(folder.file("outbox.sqlite-outbox-lock"))) {
                    try await second.run()
                }
            }
            // And the right is given back.
            try await bench.delivering(to: receiver, machine: machine) { _ in }
        }
    }
}

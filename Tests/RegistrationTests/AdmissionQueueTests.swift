import OakumTestKit
import RegistrationCore
import Testing

@Suite struct AdmissionQueueTests {
    typealias Ticket = AdmissionQueue.Ticket

    func queue(slots: Int = 2, deadline: Duration = .milliseconds(500), work: Duration = .milliseconds(50))
        -> AdmissionQueue
    {
        AdmissionQueue(.init(slots: slots, deadline: deadline, expectedWork: work))
    }

    @Test func `what finds a free slot starts at once`() {
        var queue = queue(slots: 2)
        let first = queue.arrive(.login, at: .zero)
        let second = queue.arrive(.signUp, at: .zero)
        let third = queue.arrive(.login, at: .zero)
        #expect(first.actions == [.start(first.ticket)])
        #expect(second.actions == [.start(second.ticket)])
        #expect(third.actions == [])
        #expect(queue.running == 2)
        #expect(queue.waiting == 1)
        #expect(queue.finish(first.ticket, at: .milliseconds(50)) == [.start(third.ticket)])
    }

    @Test func `the waiting room is what the slots work off within the deadline`() {
        var queue = queue(slots: 2, deadline: .milliseconds(500), work: .milliseconds(25))
        #expect(queue.room == 40)
        for _ in 0..<42 { #expect(!Self.isRefusal(queue.arrive(.login, at: .zero).actions)) }
        let late = queue.arrive(.login, at: .zero)
        #expect(late.actions == [.refuse(late.ticket, .full)])
        #expect(queue.waiting == 40)
        // 42 hashes of 25 ms on two slots.
        #expect(queue.backlog == .milliseconds(525))
    }

    @Test func `the room follows the pace that is seen`() {
        var queue = queue(slots: 1, deadline: .seconds(1), work: .milliseconds(10))
        #expect(queue.room == 100)
        for step in 0..<64 {
            let ticket = queue.arrive(.login, at: .seconds(step)).ticket
            _ = queue.finish(ticket, at: .seconds(step) + .milliseconds(200))
        }
        #expect(queue.room == 5)
    }

    @Test func `under pressure three logins start for one sign-up, and neither starves`() {
        var queue = queue(slots: 1, work: .milliseconds(1))
        var current = queue.arrive(.login, at: .zero).ticket
        for _ in 0..<200 {
            _ = queue.arrive(.login, at: .zero)
            _ = queue.arrive(.signUp, at: .zero)
        }
        var starts: [AdmissionQueue.Lane: Int] = [:]
        for _ in 0..<100 {
            guard case .start(let next)? = queue.finish(current, at: .zero).first else { break }
            starts[next.lane, default: 0] += 1
            current = next
        }
        #expect(starts == [.login: 75, .signUp: 25])
    }

    @Test func `a lane that was idle has no claim on the past`() {
        var queue = queue(slots: 1, deadline: .seconds(60), work: .milliseconds(1))
        var current = queue.arrive(.login, at: .zero).ticket
        for _ in 0..<300 { _ = queue.arrive(.login, at: .zero) }
        for _ in 0..<200 { current = Self.started(queue.finish(current, at: .zero)) ?? current }
        for _ in 0..<50 { _ = queue.arrive(.signUp, at: .zero) }
        var lanes: [AdmissionQueue.Lane] = []
        for _ in 0..<8 {
            guard let next = Self.started(queue.finish(current, at: .zero)) else { break }
            lanes.append(next.lane)
            current = next
        }
        #expect(lanes.filter { $0 == .signUp }.count == 2)
    }

    @Test func `a flood of sign-ups does not shut out logins`() {
        var queue = queue(slots: 2, work: .milliseconds(50))
        for _ in 0..<1000 { _ = queue.arrive(.signUp, at: .zero) }
        #expect(queue.waiting(in: .signUp) == queue.room)
        let share = queue.room * 3 / 4
        for _ in 0..<share {
            let login = queue.arrive(.login, at: .zero)
            guard case .refuse(let displaced, .displaced)? = login.actions.first else {
                Issue.record("a login found no place: \(login.actions)")
                return
            }
            #expect(displaced.lane == .signUp)
        }
        #expect(queue.waiting(in: .login) == share)
        #expect(queue.waiting == queue.room)
        // And not the other way round: the sign-ups keep their own share.
        let login = queue.arrive(.login, at: .zero)
        #expect(login.actions == [.refuse(login.ticket, .full)])
        #expect(queue.waiting(in: .signUp) >= queue.room / 4)
    }

    @Test func `what waited beyond the deadline is refused before it starts`() {
        var queue = queue(slots: 1, deadline: .milliseconds(100), work: .milliseconds(10))
        let running = queue.arrive(.login, at: .zero).ticket
        let early = queue.arrive(.login, at: .zero).ticket
        let later = queue.arrive(.signUp, at: .milliseconds(50)).ticket
        let actions = queue.finish(running, at: .milliseconds(120))
        #expect(actions == [.refuse(early, .expired), .start(later)])
    }

    @Test func `a client that leaves makes room and is never started`() {
        var queue = queue(slots: 1)
        let running = queue.arrive(.login, at: .zero).ticket
        let gone = queue.arrive(.login, at: .zero).ticket
        let stays = queue.arrive(.login, at: .zero).ticket
        let left = [gone, gone, running].map { queue.leave($0) }
        #expect(left == [true, false, false])
        #expect(queue.finish(running, at: .milliseconds(1)) == [.start(stays)])
        #expect(queue.waiting == 0)
    }

    @Test func `closing refuses who waits and who comes`() {
        var queue = queue(slots: 1)
        let running = queue.arrive(.login, at: .zero).ticket
        let waiting = queue.arrive(.signUp, at: .zero).ticket
        #expect(queue.close() == [.refuse(waiting, .closed)])
        let late = queue.arrive(.login, at: .zero)
        #expect(late.actions == [.refuse(late.ticket, .closed)])
        #expect(queue.finish(running, at: .zero) == [])
    }

    /// A model of the outside: every ticket must have exactly one fate, and no bound may ever be crossed.
    @Test func `any sequence of events keeps the bounds and gives every ticket exactly one fate`() async throws {
        try await forAll(seeds: 200) { generator in
            let slots = generator.int(1...4)
            var queue = self.queue(
                slots: slots, deadline: .milliseconds(generator.int(1...400)),
                work: .milliseconds(generator.int(1...100)))
            var now = Duration.zero
            var running: Set<Ticket> = []
            var waiting: Set<Ticket> = []
            func apply(_ actions: [AdmissionQueue.Action]) {
                for action in actions {
                    switch action {
                    case .start(let ticket):
                        #expect(waiting.remove(ticket) != nil)
                        #expect(running.insert(ticket).inserted)
                    case .refuse(let ticket, _):
                        #expect(waiting.remove(ticket) != nil)
                    }
                }
            }
            for _ in 0..<300 {
                now += .milliseconds(generator.int(0...30))
                switch generator.int(0...5) {
                case 0...2:
                    let (ticket, actions) = queue.arrive(generator.chance(0.5) ? .login : .signUp, at: now)
                    waiting.insert(ticket)
                    apply(actions)
                case 3...4:
                    guard let ticket = generator.pick(running.sorted { $0.number < $1.number }) else { continue }
                    running.remove(ticket)
                    apply(queue.finish(ticket, at: now))
                default:
                    guard let ticket = generator.pick(waiting.sorted { $0.number < $1.number }) else { continue }
                    let left = queue.leave(ticket)
                    #expect(left)
                    waiting.remove(ticket)
                }
                #expect(queue.running == running.count)
                #expect(queue.waiting == waiting.count)
                #expect(running.count <= slots)
                #expect(waiting.isEmpty || running.count == slots, "nobody waits beside a free slot")
                #expect(queue.room <= queue.settings.maximumWaiters)
            }
            apply(queue.close())
            #expect(waiting.isEmpty)
        }
    }

    static func isRefusal(_ actions: [AdmissionQueue.Action]) -> Bool {
        actions.contains { if case .refuse = $0 { true } else { false } }
    }

    static func started(_ actions: [AdmissionQueue.Action]) -> Ticket? {
        for case .start(let ticket) in actions { return ticket }
        return nil
    }
}

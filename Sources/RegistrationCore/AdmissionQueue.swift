/// Decides which password hash may run, which waits, and which is refused: slots for what runs, a waiting room bounded by
/// time and number, two lanes so that a flood of sign-ups does not shut out logins.
///
/// A hash needs tens of megabytes and tens of milliseconds, so unbounded ones are how a registration service runs out of
/// memory without leaking. Pure: instants come in (any monotonic clock, as time since its origin), actions go out.
///
/// Bounds: at most `slots` tickets run; at most `room` wait, which is what the slots can work off within the deadline at
/// the observed pace and never more than `maximumWaiters`. Overflow: the newcomer is refused, or, when it is in a lane
/// that has less than its share of the room, the newest waiter of the other lane is.
package struct AdmissionQueue: Sendable {
    /// Who waits for whom.
    package enum Lane: Int, CaseIterable, Sendable {
        case login
        case signUp

        /// Of four starts under pressure three are logins.
        package var weight: Int {
            switch self {
            case .login: 3
            case .signUp: 1
            }
        }

        /// Virtual time a start costs its lane: the inverse of the weight.
        fileprivate var stride: Int { 12 / weight }
    }

    /// One request for a slot.
    package struct Ticket: Hashable, Sendable {
        package let number: UInt64
        package let lane: Lane
    }

    /// Why a ticket does not run.
    package enum Refusal: Hashable, Sendable {
        /// The waiting room is full.
        case full
        /// It had a place and lost it to the lane that was short of its share.
        case displaced
        /// Its deadline passed before a slot was free.
        case expired
        /// The service is stopping.
        case closed
    }

    package enum Action: Hashable, Sendable {
        case start(Ticket)
        case refuse(Ticket, Refusal)
    }

    package struct Settings: Hashable, Sendable {
        /// How many run at once.
        package var slots: Int
        /// How long a ticket may wait for its start.
        package var deadline: Duration
        /// How long one hash takes, until the first have been seen.
        package var expectedWork: Duration
        package var maximumWaiters: Int

        package init(
            slots: Int, deadline: Duration = .milliseconds(500), expectedWork: Duration = .milliseconds(50),
            maximumWaiters: Int = 1024
        ) {
            self.slots = max(1, slots)
            self.deadline = max(.zero, deadline)
            self.expectedWork = max(.microseconds(1), expectedWork)
            self.maximumWaiters = max(1, maximumWaiters)
        }
    }

    private struct Waiter {
        var ticket: Ticket
        var arrived: Duration
    }

    package let settings: Settings
    /// What one hash takes: an average that forgets (one eighth new).
    package private(set) var averageWork: Duration
    private var lanes: [[Waiter]] = Lane.allCases.map { _ in [] }
    private var virtualTimes: [Int] = Lane.allCases.map { _ in 0 }
    private var virtualNow = 0
    private var started: [Ticket: Duration] = [:]
    private var issued: UInt64 = 0
    private var closed = false

    package init(_ settings: Settings) {
        self.settings = settings
        averageWork = settings.expectedWork
    }

    package var running: Int { started.count }
    package var waiting: Int { lanes.reduce(0) { $0 + $1.count } }
    package func waiting(in lane: Lane) -> Int { lanes[lane.rawValue].count }

    /// How many may wait now: slots × deadline / time of one hash.
    package var room: Int {
        let byTime = Double(settings.slots) * (settings.deadline / averageWork)
        return max(1, Int(min(Double(settings.maximumWaiters), byTime)))
    }

    /// When those who wait now will have been served: what a refused client is told to wait, at least a millisecond.
    package var backlog: Duration {
        max(.milliseconds(1), averageWork * Double(waiting + settings.slots) / Double(settings.slots))
    }

    /// A new ticket. Its fate is among the actions, or it waits when they do not name it.
    package mutating func arrive(_ lane: Lane, at now: Duration) -> (ticket: Ticket, actions: [Action]) {
        issued += 1
        let ticket = Ticket(number: issued, lane: lane)
        guard !closed else { return (ticket, [.refuse(ticket, .closed)]) }
        var actions = expire(at: now)
        if running < settings.slots {
            actions.append(start(ticket, at: now))
        } else if waiting < room {
            wait(ticket, at: now)
        } else if let displaced = displace(for: lane) {
            actions.append(.refuse(displaced, .displaced))
            wait(ticket, at: now)
        } else {
            actions.append(.refuse(ticket, .full))
        }
        return (ticket, actions)
    }

    /// The client of a ticket has gone. True when it was waiting: it will not be named again.
    package mutating func leave(_ ticket: Ticket) -> Bool {
        let lane = ticket.lane.rawValue
        guard let place = lanes[lane].firstIndex(where: { $0.ticket == ticket }) else { return false }
        lanes[lane].remove(at: place)
        return true
    }

    /// A running ticket is done; its slot goes to whom the lanes' weights say. Unknown tickets change nothing.
    package mutating func finish(_ ticket: Ticket, at now: Duration) -> [Action] {
        guard let began = started.removeValue(forKey: ticket) else { return [] }
        let work = max(.microseconds(1), now - began)
        averageWork += (work - averageWork) / 8
        var actions = expire(at: now)
        while running < settings.slots, let next = takeNext() {
            actions.append(start(next, at: now))
        }
        return actions
    }

    /// Refuses all who wait and all who come. What runs finishes.
    package mutating func close() -> [Action] {
        closed = true
        let refused = lanes.flatMap { $0.map { Action.refuse($0.ticket, .closed) } }
        for lane in lanes.indices { lanes[lane].removeAll() }
        return refused
    }

    private mutating func start(_ ticket: Ticket, at now: Duration) -> Action {
        started[ticket] = now
        return .start(ticket)
    }

    private mutating func wait(_ ticket: Ticket, at now: Duration) {
        let lane = ticket.lane.rawValue
        // A lane that was idle has saved up nothing: it starts from the present.
        if lanes[lane].isEmpty { virtualTimes[lane] = max(virtualTimes[lane], virtualNow) }
        lanes[lane].append(Waiter(ticket: ticket, arrived: now))
    }

    private mutating func takeNext() -> Ticket? {
        let ready = Lane.allCases.filter { !lanes[$0.rawValue].isEmpty }
        guard let lane = ready.min(by: { virtualTimes[$0.rawValue] < virtualTimes[$1.rawValue] }) else { return nil }
        virtualNow = virtualTimes[lane.rawValue]
        virtualTimes[lane.rawValue] += lane.stride
        return lanes[lane.rawValue].removeFirst().ticket
    }

    /// Who came first in a lane waits longest, so those past the deadline are at the front.
    private mutating func expire(at now: Duration) -> [Action] {
        var actions: [Action] = []
        for lane in lanes.indices {
            let late = lanes[lane].prefix { now - $0.arrived >= settings.deadline }
            actions += late.map { .refuse($0.ticket, .expired) }
            lanes[lane].removeFirst(late.count)
        }
        return actions
    }

    /// The newest waiter of another lane that is beyond its share, if `lane` is below its own.
    private mutating func displace(for lane: Lane) -> Ticket? {
        guard waiting(in: lane) < share(of: lane) else { return nil }
        for other in Lane.allCases where other != lane && waiting(in: other) > share(of: other) {
            return lanes[other.rawValue].popLast()?.ticket
        }
        return nil
    }

    private func share(of lane: Lane) -> Int {
        let total = Lane.allCases.reduce(0) { $0 + $1.weight }
        return max(1, room * lane.weight / total)
    }
}

/// What the dispatcher has in its hands: messages in flight, and whatever it knows that the disk does not. No I/O.
struct OutboxLedger: Sendable {
    private(set) var held: [Int64: HeldMessage] = [:]
    var traffic: OutboxTraffic
    var timeline: OutboxTimeline
    /// Why writing failed the last time; nil while it works.
    private(set) var trouble: OutboxError?
    /// While in trouble: when to try again.
    private(set) var nextWrite: OutboxInstant?

    init(traffic: OutboxTraffic, timeline: OutboxTimeline, deserted: [HeldMessage]) {
        self.traffic = traffic
        self.timeline = timeline
        for message in deserted { held[message.seq] = message }
    }

    mutating func now(_ reading: OutboxReading) -> OutboxInstant { timeline.now(reading) }

    var inFlight: Int { held.values.count { $0.course.state == .claimed } }

    /// What has to be written. In the order of their numbers, so that a run can be repeated exactly.
    var unwritten: [HeldMessage] {
        held.values.filter { !$0.isWritten }.sorted { $0.seq < $1.seq }
    }

    /// For choosing while the rows are behind.
    var overlay: Outbox.Overlay {
        let behind = held.values.filter { !$0.isWritten }
        return Outbox.Overlay(
            held: Self.list(behind.map(\.seq)),
            ended: Self.list(behind.filter { $0.course.state.isFinal }.map(\.seq)))
    }

    /// Messages that failed while nothing can be written, and are due again.
    func dueAgain(at now: OutboxInstant) -> [HeldMessage] {
        held.values.filter { !$0.isWritten && $0.course.state == .waiting && $0.course.due <= now }
            .sorted { ($0.course.due, $0.seq) < ($1.course.due, $1.seq) }
    }

    /// When the next of those is due that are not yet.
    func nextDue(after now: OutboxInstant) -> OutboxInstant? {
        held.values.lazy.filter { !$0.isWritten && $0.course.state == .waiting && $0.course.due > now }
            .map(\.course.due).min()
    }

    /// An attempt has ended.
    mutating func hear(
        _ finish: OutboxFinish, at now: OutboxInstant, by settings: OutboxSettings,
        using generator: inout some RandomNumberGenerator
    ) {
        guard var message = held[finish.seq], message.course.state == .claimed else { return }
        let schedule = settings.schedule(message.kind)
        if let answer = finish.answer {
            _ = message.course.hear(answer, at: now, schedule: schedule, using: &generator)
        } else {
            message.course.release(at: now)
        }
        message.isWritten = false
        held[finish.seq] = message
        traffic.ended(message.destination, isFirst: message.isFirst, at: now)
        if case .again(let wish?, _) = finish.answer, wish > .zero {
            let pause = min(wish, schedule.longestWish)
            traffic.hold(message.destination, until: now.advanced(by: pause), at: now)
        }
    }

    /// Everything unwritten is on the disk now, and these claims with it.
    mutating func landed(claims: [OutboxClaim]) {
        trouble = nil
        nextWrite = nil
        held = held.compactMapValues { message in
            guard message.course.state == .claimed else { return nil }
            var message = message
            message.isWritten = true
            return message
        }
        for claim in claims {
            held[claim.seq] = claim.held
            held[claim.seq]?.isWritten = true
        }
    }

    /// These go out although their claims could not be written.
    mutating func unwrittenClaims(_ claims: [OutboxClaim]) {
        for claim in claims { held[claim.seq] = claim.held }
    }

    /// Its row says that it is not to be sent any more.
    mutating func drop(_ seq: Int64) {
        held[seq] = nil
    }

    mutating func failed(_ error: OutboxError, at now: OutboxInstant) {
        trouble = error
        nextWrite = now.advanced(by: .seconds(1))
    }

    private static func list(_ numbers: [Int64]) -> String {
        "[" + numbers.sorted().map(String.init).joined(separator: ",") + "]"
    }
}

/// The end of one attempt.
struct OutboxFinish: Sendable {
    var seq: Int64
    /// Nil when we cut it short ourselves.
    var answer: OutboxAnswer?
}

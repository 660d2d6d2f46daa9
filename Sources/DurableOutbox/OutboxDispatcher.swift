package import GRDB
import Synchronization

/// Sends what is in the outbox, each message until it is delivered or dead.
///
/// One loop owns all the state: it writes what came of earlier attempts and the claims of the next ones in one
/// transaction, starts these, and waits for a ring or for the next due time. Attempts run beside it, each with the slot
/// of its destination. A full disk does not end delivery: what cannot be written is kept in memory, bounded, and
/// written when there is room; if the process dies before that, those messages are sent again with the same id.
package final class OutboxDispatcher<C: Clock>: Sendable where C.Duration == Duration {
    private struct State {
        var finished: [OutboxFinish] = []
        var isStopping = false
    }

    private let outbox: Outbox
    private let file: OutboxFile
    private let lockPath: String?
    private let sender: any OutboxSender
    private let settings: OutboxSettings
    private let clock: C
    private let waypoints: Waypoints
    private let notice: @Sendable (OutboxNotice) -> Void
    private let randomness: @Sendable () -> UInt64
    private let instance: String
    private let state = Mutex(State())

    /// - Parameters:
    ///   - database: the owner's, with the outbox's tables.
    ///   - lockPath: see `OutboxLock`; beside the database when nil.
    ///   - clock: what is slept on. What time it is, `outbox.clock` says.
    ///   - notice: called from the loop, so it must be short.
    ///   - randomness: for the jitter.
    package init(
        outbox: Outbox, database: any DatabaseWriter, lockPath: String? = nil, sender: any OutboxSender,
        settings: OutboxSettings = OutboxSettings(), clock: C, waypoints: Waypoints = .none,
        notice: @escaping @Sendable (OutboxNotice) -> Void = { _ in },
        randomness: @escaping @Sendable () -> UInt64 = { UInt64.random(in: .min ... .max) }
    ) {
        self.outbox = outbox
        file = OutboxFile(database: database)
        self.lockPath = lockPath ?? Self.lockPath(beside: database.path)
        self.sender = sender
        self.settings = settings
        self.clock = clock
        self.waypoints = waypoints
        self.notice = notice
        self.randomness = randomness
        instance = String(randomness(), radix: 16)
    }

    /// Delivers until `stop()` or cancellation. `stop()` lets attempts in flight end, for `stopWithin`; cancellation
    /// cuts them short at once. Either way what is known is written, and the rest is free for the next run.
    /// - Throws: `.taken` when another dispatcher works on this database, `.unusable` when it is damaged.
    package func run() async throws(OutboxError) {
        let lock = try OutboxLock(path: lockPath)
        var ledger = try await begin()
        let failure = await withDiscardingTaskGroup(returning: OutboxError?.self) { group in
            defer { group.cancelAll() }
            do throws(OutboxError) {
                while !isStopping {
                    let wake = try await turn(&ledger, isClaiming: true) { claim in
                        group.addTask { await self.deliver(claim) }
                    }
                    guard !isStopping else { break }
                    await rest(until: wake, ledger.now(outbox.clock.read()))
                }
                try await drain(&ledger)
                return nil
            } catch {
                return error
            }
        }
        // Nothing is in flight any more. What cannot be written now is found as deserted by the next run.
        if failure == nil { _ = try await turn(&ledger, isClaiming: false) { _ in } }
        withExtendedLifetime(lock) {}
        if let failure { throw failure }
    }

    /// Ends `run()` gracefully. It cannot be run again.
    package func stop() {
        state.withLock { $0.isStopping = true }
        outbox.bell.ring()
    }

    private var isStopping: Bool { state.withLock { $0.isStopping } || Task.isCancelled }

    private static func lockPath(beside path: String) -> String? {
        path.isEmpty || path.hasPrefix(":memory:") || path.hasPrefix("file:") ? nil : path + "-outbox-lock"
    }

    private func begin() async throws(OutboxError) -> OutboxLedger {
        let (outbox, reading) = (outbox, outbox.clock.read())
        let (timeline, deserted) = try await file.read { db in
            var timeline = try OutboxTimeline.load(db) ?? OutboxTimeline(beginning: reading)
            let now = timeline.now(reading)
            return (timeline, try outbox.deserted(at: now, in: db))
        }
        if !deserted.isEmpty { notice(.deserted(deserted.count)) }
        return OutboxLedger(traffic: settings.traffic, timeline: timeline, deserted: deserted)
    }

    /// Waits for attempts in flight, and writes what comes of them, until the time for that is over.
    private func drain(_ ledger: inout OutboxLedger) async throws(OutboxError) {
        let end = ledger.now(outbox.clock.read()).advanced(by: settings.stopWithin)
        while !Task.isCancelled {
            _ = try await turn(&ledger, isClaiming: false) { _ in }
            let now = ledger.now(outbox.clock.read())
            guard ledger.inFlight > 0, now < end else { return }
            await rest(until: end, now)
        }
    }

    private func rest(until wake: OutboxInstant?, _ now: OutboxInstant) async {
        let limit = min(wake.map { now.wait(until: $0) } ?? settings.idleCheck, settings.idleCheck)
        await outbox.bell.heard(within: max(limit, .milliseconds(1)), on: clock)
    }

    /// Hears what has finished, writes it, claims and starts what may go. Returns when to do so again without a ring.
    private func turn(
        _ ledger: inout OutboxLedger, isClaiming: Bool, start: (OutboxClaim) -> Void
    ) async throws(OutboxError) -> OutboxInstant? {
        let reading = outbox.clock.read()
        let now = ledger.now(reading)
        let finished = state.withLock { state in
            defer { state.finished = [] }
            return state.finished
        }
        var generator = Generator(draw: randomness)
        for finish in finished { ledger.hear(finish, at: now, by: settings, using: &generator) }
        var wake: OutboxInstant?
        if ledger.nextWrite.map({ $0 <= now }) ?? true || !isClaiming {
            wake = try await writeAndClaim(&ledger, reading, now, isClaiming, heard: !finished.isEmpty, start)
        }
        if ledger.trouble != nil {
            let again = isClaiming ? try await claimUnwritten(&ledger, now, start) : nil
            wake = [ledger.nextWrite, again, ledger.nextDue(after: now)].compactMap { $0 }.min()
        }
        return wake
    }

    private func writeAndClaim(
        _ ledger: inout OutboxLedger, _ reading: OutboxReading, _ now: OutboxInstant, _ isClaiming: Bool, heard: Bool,
        _ start: (OutboxClaim) -> Void
    ) async throws(OutboxError) -> OutboxInstant? {
        let (outbox, instance, unwritten, traffic) = (outbox, instance, ledger.unwritten, ledger.traffic)
        do throws(OutboxError) {
            let (choice, busy, unheard, timeline) = try await file.write { db in
                let timeline = try outbox.timeline(reading, in: db)
                try outbox.write(unwritten, at: now, wall: reading.wallMilliseconds, in: db)
                var traffic = traffic
                var choice = Outbox.Choice()
                if isClaiming {
                    choice = try outbox.choose(&traffic, overlay: Outbox.Overlay(), at: now, in: db)
                    try outbox.writeClaims(choice.claims, by: instance, in: db)
                }
                return (choice, traffic, try outbox.counts(in: db).unheard, timeline)
            }
            if ledger.trouble != nil { notice(.recovered) }
            ledger.timeline = timeline
            ledger.traffic = busy
            ledger.landed(claims: choice.claims)
            if heard { waypoints.reached(.record) }
            if unheard > 0 { notice(.outcomes) }
            if !choice.claims.isEmpty { waypoints.reached(.claim) }
            choice.claims.forEach(start)
            return choice.wake
        } catch {
            try trouble(error, &ledger, now)
            return nil
        }
    }

    /// While nothing can be written: reads what is due, and sends it on the strength of the lock alone.
    private func claimUnwritten(
        _ ledger: inout OutboxLedger, _ now: OutboxInstant, _ start: (OutboxClaim) -> Void
    ) async throws(OutboxError) -> OutboxInstant? {
        guard ledger.unwritten.count < settings.maximumUnwritten else { return nil }
        let (outbox, overlay, again, traffic) = (outbox, ledger.overlay, ledger.dueAgain(at: now), ledger.traffic)
        do throws(OutboxError) {
            let (choice, busy, dropped) = try await file.read { db in
                var traffic = traffic
                var dropped: [Int64] = []
                var claims: [OutboxClaim] = []
                for message in again
                where traffic.room(message.destination, isFirst: message.isFirst, at: now) > 0 {
                    guard var claim = try outbox.load(message.seq, in: db) else {
                        dropped.append(message.seq)
                        continue
                    }
                    claim.course = message.course
                    guard claim.course.claim(at: now) else { continue }
                    traffic.started(message.destination, isFirst: message.isFirst, at: now)
                    claims.append(claim)
                }
                var choice = try outbox.choose(&traffic, overlay: overlay, at: now, in: db)
                choice.claims = claims + choice.claims
                return (choice, traffic, dropped)
            }
            ledger.traffic = busy
            dropped.forEach { ledger.drop($0) }
            ledger.unwrittenClaims(choice.claims)
            choice.claims.forEach(start)
            return choice.wake
        } catch {
            try trouble(error, &ledger, now)
            return nil
        }
    }

    private func trouble(
        _ error: OutboxError, _ ledger: inout OutboxLedger, _ now: OutboxInstant
    ) throws(OutboxError) {
        switch error {
        case .diskFull, .failed:
            if ledger.trouble != error { notice(.trouble(error)) }
            ledger.failed(error, at: now)
        default: throw error
        }
    }

    private func deliver(_ claim: OutboxClaim) async {
        let answer = await attempt(claim)
        state.withLock { $0.finished.append(OutboxFinish(seq: claim.seq, answer: answer)) }
        outbox.bell.ring()
    }

    /// The sender's answer; nil when we cut it short before it knew any.
    private func attempt(_ claim: OutboxClaim) async -> OutboxAnswer? {
        let (sender, waypoints, clock, limit) = (sender, waypoints, clock, settings.sendTimeout)
        let (answer, isLate) = await withTaskGroup(of: OutboxAnswer?.self) { group in
            group.addTask {
                await sender.send(claim.message, attempt: claim.course.attempts, waypoints: waypoints)
            }
            group.addTask {
                // Cancelled: the answer was first.
                try? await clock.sleep(until: clock.now.advanced(by: limit), tolerance: nil)
                return nil
            }
            var answer = await group.next() ?? nil
            let isLate = answer == nil
            group.cancelAll()
            if isLate { answer = await group.next() ?? nil }
            return (answer, isLate)
        }
        guard case .again = answer else { return answer }
        if Task.isCancelled { return nil }
        return isLate ? .again(after: nil, words: "no answer within \(limit)") : answer
    }
}

/// Randomness from a closure.
private struct Generator: RandomNumberGenerator {
    let draw: @Sendable () -> UInt64

    mutating func next() -> UInt64 { draw() }
}

package import Incidents
import OakumAPI
package import OakumModel
import Synchronization

/// The long-lived coordinator of incidents: hands events to the book, makes what follows durable, and only then counts it.
///
/// Events that come while a transaction is under way share the next one, so that thousands a minute cost few of them. What
/// cannot be stored has not happened: whoever told it hears that, and tells it again.
package actor IncidentDesk<C: Clock> where C.Duration == Duration {
    /// Where the desk is in its work; for tests that kill the process there.
    package enum Point: Sendable {
        case accepted
        case committed
        case acknowledged
    }

    /// Events that may wait for the next transaction. Beyond, they are refused: their senders try again.
    package static var waitingLimit: Int { 5_000 }
    /// Alerts of our own that could not be stored yet; of one fingerprint the newest.
    package static var unsavedLimit: Int { 1_000 }

    var book: IncidentBook
    let store: any IncidentStore
    let outcomes: any PageOutcomes
    let clock: C
    let now: @Sendable () -> Moment
    let whenStored: @Sendable (_ hasPages: Bool) -> Void
    let reached: @Sendable (Point) -> Void
    private let bell = Bell()
    private var waiting: [Waiting] = []
    private var waitingEvents = 0
    private var isClosed = false
    var unsaved: [String: Alert] = [:]
    private var trouble: String?
    private var failedCommits = 0
    /// When something was last not stored.
    private var refusedAt: C.Instant?
    /// The transaction under way; nil: none is.
    private var writingSince: C.Instant?
    private var deploys: [@Sendable (String, String, WallTime) async -> Void] = []

    private struct Waiting {
        var events: [IncidentEvent]
        var answer: CheckedContinuation<Result<[IncidentAnswer], ControlError>, Never>
    }

    /// - Parameters:
    ///   - now: both clocks.
    ///   - whenStored: called after each transaction: pages may wait to be sent.
    package init(
        settings: IncidentSettings, store: any IncidentStore, outcomes: any PageOutcomes, clock: C,
        now: @escaping @Sendable () -> Moment, whenStored: @escaping @Sendable (Bool) -> Void,
        reached: @escaping @Sendable (Point) -> Void = { _ in }
    ) {
        book = IncidentBook(settings: settings)
        self.store = store
        self.outcomes = outcomes
        self.clock = clock
        self.now = now
        self.whenStored = whenStored
        self.reached = reached
    }

    /// Takes over what was stored. Called once, before anything else.
    package func begin() async throws(StoreError) {
        let stored = try await store.load(recent: book.settings.reopenSeconds, at: now())
        book.restore(
            stored.records, alerts: stored.alerts.map { ($0.incident, $0.fingerprint, $0.isFiring) },
            silences: stored.silences, nextIncident: stored.nextIncident, nextSilence: stored.nextSilence)
    }

    /// Works until its task is cancelled.
    package func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.followClock() }
            group.addTask { await self.followOutcomes() }
            group.addTask { await self.followEvents() }
        }
    }

    /// What does not work, in words, and what to do; nil: all does.
    package var problem: String? {
        if let trouble { return trouble }
        guard let since = writingSince else { return nil }
        let seconds = since.duration(to: clock.now) / .seconds(1)
        guard seconds >= Self.slowSeconds else { return nil }
        return
            "incidents are being stored for \(Words.seconds(seconds)), and nobody is paged meanwhile: the disk of the state "
            + "folder is very slow or hangs; `dmesg` and `iostat` may tell why"
    }

    /// So long a refusal is told at least, seconds, unless something was stored since: whoever looks now and then sees it.
    private static var refusalSeconds: Double { 15 }
    /// A transaction that takes longer is told, seconds.
    private static var slowSeconds: Double { 10 }

    /// Where deploy marks of others go.
    package func onDeploy(_ mark: @escaping @Sendable (String, String, WallTime) async -> Void) {
        deploys.append(mark)
    }

    func markDeploy(_ service: String, _ text: String, at wall: WallTime) async {
        for deploy in deploys { await deploy(service, text, wall) }
    }

    // MARK: - Events

    /// Returns when what follows from the events is durable.
    func handle(_ events: [IncidentEvent]) async throws(ControlError) -> [IncidentAnswer] {
        guard waitingEvents + events.count <= Self.waitingLimit else {
            throw .failed("\(waitingEvents) alerts wait to be stored already: try again in a few seconds")
        }
        guard !isClosed else { throw Self.stopping }
        reached(.accepted)
        waitingEvents += events.count
        let result = await withCheckedContinuation { continuation in
            waiting.append(Waiting(events: events, answer: continuation))
            bell.raise()
        }
        let answers = try result.get()
        reached(.acknowledged)
        return answers
    }

    private func followEvents() async {
        for await _ in bell.stream {
            while !waiting.isEmpty, !Task.isCancelled { await settle() }
        }
        // Nobody is left who could answer: whoever waits, or still comes, hears that, and tells it again after the next start.
        isClosed = true
        for waiter in waiting { waiter.answer.resume(returning: .failure(Self.stopping)) }
        waiting = []
    }

    private static var stopping: ControlError { .failed("oakum is stopping") }

    /// One transaction for what waits, at most 500 events of it unless one caller brings more.
    private func settle() async {
        var batch: [Waiting] = []
        var count = 0
        while let next = waiting.first, batch.isEmpty || count + next.events.count <= 500 {
            batch.append(next)
            count += next.events.count
            waiting.removeFirst()
        }
        waitingEvents -= count
        let events = batch.flatMap(\.events)
        let result = await attempt(events)
        var rest = (try? result.get()) ?? []  // A failure has no answers: it is handed on below.
        for waiter in batch {
            switch result {
            case .success:
                waiter.answer.resume(returning: .success(Array(rest.prefix(waiter.events.count))))
                rest.removeFirst(waiter.events.count)
            case .failure(let error): waiter.answer.resume(returning: .failure(error))
            }
        }
    }

    /// On a copy: what cannot be stored leaves no trace. Nothing else changes the book meanwhile, since all comes this way.
    private func attempt(_ events: [IncidentEvent]) async -> Result<[IncidentAnswer], ControlError> {
        var next = book
        let moment = now()
        let answers = events.map { next.handle($0, at: moment) }
        let changes = answers.flatMap(\.changes)
        guard !changes.isEmpty else {
            book = next
            return .success(answers)
        }
        writingSince = clock.now
        defer { writingSince = nil }
        do throws(StoreError) {
            try await store.commit(Self.compacted(changes), at: moment)
        } catch {
            trouble = Self.cannotStore(error)
            failedCommits += 1
            refusedAt = clock.now
            return .failure(.failed("incidents cannot be stored: \(error). Nothing of it counts: try again"))
        }
        trouble = nil
        book = next
        reached(.committed)
        whenStored(changes.contains { if case .send = $0 { true } else { false } })
        return .success(answers)
    }

    private static func cannotStore(_ error: StoreError) -> String {
        "incidents cannot be stored, so nobody is paged for what is new: \(error)"
    }

    /// After a failure: whether it can be written again, without waiting for the next thing to happen. Little may fit where
    /// more did not, so a refusal is told for a while all the same.
    private func tryStore() async {
        do throws(StoreError) {
            try await store.commit([], at: now())
            let isRecent = refusedAt.map { $0.duration(to: clock.now) / .seconds(1) < Self.refusalSeconds } ?? false
            if !isRecent { trouble = nil }
        } catch {
            trouble = Self.cannotStore(error)
        }
    }

    /// Of several states of one incident within a transaction only the last has to be written.
    private static func compacted(_ changes: [IncidentChange]) -> [IncidentChange] {
        var last: [Int64: Int] = [:]
        for (index, change) in changes.enumerated() {
            if case .save(let record) = change { last[record.incident.id] = index }
        }
        return changes.enumerated().filter { index, change in
            if case .save(let record) = change { last[record.incident.id] == index } else { true }
        }.map(\.element)
    }

    // MARK: - Time and outcomes

    private func followClock() async {
        while !Task.isCancelled {
            do {
                try await clock.sleep(for: .seconds(1), tolerance: .milliseconds(100))
            } catch {
                return
            }
            let late = unsaved.values.sorted { $0.fingerprint < $1.fingerprint }
            unsaved = [:]
            if !late.isEmpty { await take(late) }
            let before = failedCommits
            await attemptQuietly([.tick])
            if trouble != nil {
                // What is due and was refused just now says more than an empty transaction that is taken.
                if failedCommits == before { await tryStore() }
                await followOutcomesOnce()
            }
        }
    }

    private func followOutcomes() async {
        await followOutcomesOnce()
        for await _ in outcomes.news { await followOutcomesOnce() }
    }

    private func followOutcomesOnce() async {
        while !Task.isCancelled {
            do throws(StoreError) {
                let known = try await outcomes.outcomes(limit: 200)
                guard !known.isEmpty else { return }
                guard await attemptQuietly(known.map { .outcome($0) }) else { return }
            } catch {
                trouble = "what became of pages cannot be read: \(error)"
                return
            }
        }
    }

    /// False: it could not be stored, and is to be tried again by the clock.
    @discardableResult
    func attemptQuietly(_ events: [IncidentEvent]) async -> Bool {
        do throws(ControlError) {
            _ = try await handle(events)
            return true
        } catch {
            return false
        }
    }
}

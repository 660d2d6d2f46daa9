import CHeapSampler
import Glibc
public import Testing

/// Makes a value, lets go of it, and tells which of its objects are still there: for reporting of one's own.
///
/// - Parameters:
///   - wait: how long tasks and threads may take to let go.
///   - make: makes a value, uses it, and returns it: an object, or anything that holds objects.
/// - Returns: the objects that remain, with their holders.
public func findSurvivors<Value>(
    waiting wait: Duration = .seconds(2), _ make: () throws -> Value
) rethrows -> DeallocationReport {
    let watch = DeallocationWatch()
    let objects = try watch.objects(make)
    let deadline = ContinuousClock.now + wait
    var pause: UInt32 = 100
    while !objects.isAllGone, .now < deadline {
        usleep(pause)
        pause = min(10_000, pause * 2)
    }
    return DeallocationReport(objects) { watch.blocks }
}

/// The same for a value that is made, or used, by calls that suspend.
public func findSurvivors<Value>(
    waiting wait: Duration = .seconds(2), _ make: () async throws -> Value
) async rethrows -> DeallocationReport {
    let watch = DeallocationWatch()
    let objects = try await watch.objects(make)
    let deadline = ContinuousClock.now + wait
    var pause = 100
    // A cancelled test does not wait: what is still there then is told all the same.
    while !objects.isAllGone, .now < deadline, !Task.isCancelled {
        // Cancelled: the loop ends.
        try? await Task.sleep(for: .microseconds(pause))
        pause = min(10_000, pause * 2)
    }
    return DeallocationReport(objects) { watch.blocks }
}

/// Expects that an object, and every object that was made with it, goes away when it is let go of.
///
/// The value may be an object or hold several (a tuple, an array, a struct). What the closure makes and the value leads to
/// through stored properties is watched too. For what remains an issue tells the type and who holds it, up to a global
/// variable, a task, or a cycle.
///
/// - Parameters:
///   - wait: how long tasks and threads may take to let go.
///   - sourceLocation: where the issue is shown.
///   - make: makes a value, uses it, and returns it.
/// - Returns: the objects that remain, with their holders.
@discardableResult
public func expectDeallocated<Value>(
    waiting wait: Duration = .seconds(2), sourceLocation: SourceLocation = #_sourceLocation,
    _ make: () throws -> Value
) rethrows -> DeallocationReport {
    let report = try findSurvivors(waiting: wait, make)
    report.record(sourceLocation)
    return report
}

/// The same for a value that is made, or used, by calls that suspend.
@discardableResult
public func expectDeallocated<Value>(
    waiting wait: Duration = .seconds(2), sourceLocation: SourceLocation = #_sourceLocation,
    _ make: () async throws -> Value
) async rethrows -> DeallocationReport {
    let report = try await findSurvivors(waiting: wait, make)
    report.record(sourceLocation)
    return report
}

/// Keeps account of what is allocated while a value is made.
private struct DeallocationWatch: ~Copyable {
    /// Nil: only what the value holds directly is watched.
    private let account: LedgerAccount?

    init() {
        // Where nothing can be counted, weak references still tell.
        account = try? LedgerAccount()
    }

    /// Returns nothing that keeps the value alive.
    @inline(never)
    func objects<Value>(_ make: () throws -> Value) rethrows -> WatchedObjects {
        defer { oakum_ledger_clear_stack() }
        let value = try MeasuredWork.$number.withValue(number) { try make() }
        return watch(value)
    }

    @inline(never)
    func objects<Value>(_ make: () async throws -> Value) async rethrows -> WatchedObjects {
        defer { oakum_ledger_clear_stack() }
        let value = try await MeasuredWork.$number.withValue(number) { try await make() }
        return watch(value)
    }

    /// What it allocates on its way belongs to the account too, so that nothing is left of it in memory.
    @inline(never)
    private func watch(_ value: Any) -> WatchedObjects {
        let number = self.number
        return MeasuredWork.$number.withValue(number) {
            // The list of blocks too, which is full of addresses.
            let blocks = number == 0 ? [] : Ledger.blocks(of: number)
            let made = Dictionary(blocks.map { (HiddenAddress($0.address), $0.bytes) }) { $1 }
            return WatchedObjects(value, made: made)
        }
    }

    private var number: UInt64 {
        switch account {
        case .some(let account): account.number
        case nil: 0
        }
    }

    /// What is alive of what was allocated.
    var blocks: [Ledger.Block] {
        switch account {
        case .some(let account): account.blocks()
        case nil: []
        }
    }
}

extension DeallocationReport {
    /// An issue when objects remain, a warning when nothing was watched.
    func record(_ location: SourceLocation) {
        if watched == 0 {
            warn("the closure returned no object, so nothing was watched: return the one that is to go away", location)
        }
        guard !survivors.isEmpty else { return }
        Issue.record(Comment(rawValue: description), sourceLocation: location)
    }
}

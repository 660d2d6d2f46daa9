import Glibc
public import Testing

/// Measures whether memory grows with calls, and records no issue: for reporting of one's own.
///
/// - Parameters:
///   - limits: what is measured, and what is held to be growth.
///   - body: one call; it is made some hundred times when memory does not grow, up to some ten thousand times when it does.
/// - Returns: what was found. It says so when nothing could be measured.
public func measureGrowth(_ limits: GrowthLimits = GrowthLimits(), _ body: () throws -> Void) rethrows -> GrowthReport {
    var run: GrowthRun
    do throws(Obstacle) {
        run = try GrowthRun(limits)
    } catch {
        try body()
        return .notMeasured(error.text)
    }
    return try run.run(body)
}

/// The same for calls that suspend.
public func measureGrowth(
    _ limits: GrowthLimits = GrowthLimits(), _ body: () async throws -> Void
) async rethrows -> GrowthReport {
    var run: GrowthRun
    do throws(Obstacle) {
        run = try GrowthRun(limits)
    } catch {
        try await body()
        return .notMeasured(error.text)
    }
    return try await run.run(body)
}

/// Expects that memory does not grow with calls: after a few calls to warm up, rounds of more and more calls must leave
/// nothing behind.
///
/// Only what the calls themselves allocate is counted, in tasks that they start too: other tests may run in parallel. An issue
/// tells bytes and blocks per call, where the blocks that remain were allocated, their Swift type, and who holds them.
/// Where nothing can be measured (a sanitizer, another allocator) the body runs once, and a warning says why.
///
/// - Parameters:
///   - scope: whose memory is measured; ``GrowthScope/process`` for a server under test, or for work on other threads.
///   - calls: of the first of the rounds, each of which makes twice as many as the one before.
///   - warmUp: calls before the first round.
///   - bytes: growth per call up to this is none.
///   - sourceLocation: where issues are shown.
///   - body: one call.
/// - Returns: what was found.
@discardableResult
public func expectNoGrowth(
    of scope: GrowthScope = .calls, calls: Int = 100, warmUp: Int = 10, toleratingBytesPerCall bytes: Double = 1,
    sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) rethrows -> GrowthReport {
    let limits = GrowthLimits(of: scope, calls: calls, warmUp: warmUp, toleratedBytesPerCall: bytes)
    let report = try measureGrowth(limits, body)
    report.record(sourceLocation)
    return report
}

/// The same for calls that suspend. They are made one after the other, where the caller is isolated.
@discardableResult
public func expectNoGrowth(
    of scope: GrowthScope = .calls, calls: Int = 100, warmUp: Int = 10, toleratingBytesPerCall bytes: Double = 1,
    sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
) async rethrows -> GrowthReport {
    let limits = GrowthLimits(of: scope, calls: calls, warmUp: warmUp, toleratedBytesPerCall: bytes)
    let report = try await measureGrowth(limits, body)
    report.record(sourceLocation)
    return report
}

extension GrowthReport {
    /// An issue when memory leaks, a warning when that could not be told.
    func record(_ location: SourceLocation) {
        switch verdict {
        case .clean: return
        case .leak: Issue.record(Comment(rawValue: description), sourceLocation: location)
        case .undecided, .notMeasured: warn(description, location)
        }
    }
}

/// Shown, and no reason to fail.
func warn(_ text: String, _ location: SourceLocation) {
    #if compiler(>=6.3)
        Issue.record(Comment(rawValue: text), severity: .warning, sourceLocation: location)
    #else
        // Issues have no severity there.
        let line = Array("\(location.fileID):\(location.line): warning: \(text)\n".utf8)
        _ = write(STDERR_FILENO, line, line.count)
    #endif
}

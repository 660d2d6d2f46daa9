import Foundation  // standard error; XCTest brings it along anyway
public import LeakTesting
import XCTest

/// Fails when memory grows with calls: after a few calls to warm up, rounds of more and more calls must leave nothing behind.
///
/// See `expectNoGrowth` of LeakTesting. Where nothing can be measured (a sanitizer, another allocator), the test
/// is skipped, with the reason; where the rounds do not tell, a warning goes to standard error.
///
/// - Parameters:
///   - limits: what is measured, and what is held to be growth.
///   - file: where the failure is shown.
///   - line: where the failure is shown.
///   - body: one call.
public func XCTAssertNoGrowth(
    _ limits: GrowthLimits = GrowthLimits(), file: StaticString = #filePath, line: UInt = #line,
    _ body: () throws -> Void
) throws {
    try report(measureGrowth(limits, body), file, line)
}

/// The same for calls that suspend.
public func XCTAssertNoGrowth(
    _ limits: GrowthLimits = GrowthLimits(), file: StaticString = #filePath, line: UInt = #line,
    _ body: () async throws -> Void
) async throws {
    try report(await measureGrowth(limits, body), file, line)
}

/// Fails when an object, or one that was made with it, does not go away when it is let go of.
///
/// - Parameters:
///   - wait: how long tasks and threads may take to let go.
///   - file: where the failure is shown.
///   - line: where the failure is shown.
///   - make: makes a value, uses it, and returns it: an object, or anything that holds objects.
public func XCTAssertDeallocated<Value>(
    waiting wait: Duration = .seconds(2), file: StaticString = #filePath, line: UInt = #line,
    _ make: () throws -> Value
) rethrows {
    report(try findSurvivors(waiting: wait, make), file, line)
}

/// The same for a value that is made, or used, by calls that suspend.
public func XCTAssertDeallocated<Value>(
    waiting wait: Duration = .seconds(2), file: StaticString = #filePath, line: UInt = #line,
    _ make: () async throws -> Value
) async rethrows {
    report(try await findSurvivors(waiting: wait, make), file, line)
}

private func report(_ found: GrowthReport, _ file: StaticString, _ line: UInt) throws {
    switch found.verdict {
    case .clean: return
    case .leak: XCTFail(found.description, file: file, line: line)
    // The rest of the test goes on: it may have more to say.
    case .undecided: FileHandle.standardError.write(Data("\(file):\(line): warning: \(found.description)\n".utf8))
    case .notMeasured: throw XCTSkip(found.description, file: file, line: line)
    }
}

private func report(_ found: DeallocationReport, _ file: StaticString, _ line: UInt) {
    if found.watched == 0 { XCTFail("the closure returned no object, so nothing was watched", file: file, line: line) }
    if !found.survivors.isEmpty { XCTFail(found.description, file: file, line: line) }
}

/// What a piece of code allocated, exactly.
public struct AllocationCount: Hashable, Sendable {
    /// Allocations, of blocks that were freed again too. A block that was made larger in place counts once.
    public var allocations: Int
    /// The bytes asked for by those.
    public var bytes: Int
    /// Blocks that are still there.
    public var remainingBlocks: Int
    /// The bytes asked for with those.
    public var remainingBytes: Int

    /// Counts to compare with.
    public init(allocations: Int, bytes: Int, remainingBlocks: Int, remainingBytes: Int) {
        self.allocations = allocations
        self.bytes = bytes
        self.remainingBlocks = remainingBlocks
        self.remainingBytes = remainingBytes
    }
}

/// Counts what code allocates, in tasks that it starts too, whatever else runs at the same time.
///
/// - Returns: the counts, and what the code returned (which is still there); nil counts where nothing can be counted.
public func countAllocations<Result>(_ body: () throws -> Result) rethrows -> (count: AllocationCount?, result: Result)
{
    let account = openAccount()
    let result = try MeasuredWork.$number.withValue(number(of: account)) { try body() }
    return (count(of: account), result)
}

/// The same for code that suspends.
public func countAllocations<Result>(
    _ body: () async throws -> Result
) async rethrows -> (count: AllocationCount?, result: Result) {
    let account = openAccount()
    let result = try await MeasuredWork.$number.withValue(number(of: account)) { try await body() }
    return (count(of: account), result)
}

private func openAccount() -> LedgerAccount? {
    // No account, no count: that is the answer then.
    try? LedgerAccount()
}

private func number(of account: borrowing LedgerAccount?) -> UInt64 {
    switch account {
    case .some(let account): account.number
    case nil: 0
    }
}

private func count(of account: borrowing LedgerAccount?) -> AllocationCount? {
    switch account {
    case .some(let account): account.count
    case nil: nil
    }
}

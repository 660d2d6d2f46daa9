/// What was done in a stretch of time, by both arms.
protocol Stretch: Sendable {
    init()
    mutating func merge(_ later: Self)
}

/// Work in blocks of time, oldest first, so that what varies from block to block tells how sure a sum is. At most 64 blocks:
/// then two become one, and blocks are twice as long from there on.
struct WorkBlocks<Content: Stretch>: Sendable {
    static var limit: Int { 64 }

    private(set) var complete: [Content] = []
    private var open = Content()
    private var openedAt: Double?
    private(set) var width = 10.0

    mutating func add(_ change: (inout Content) -> Void) { change(&open) }

    /// Ends the open block when it has lasted long enough. Seconds from the start of the comparison.
    mutating func end(at seconds: Double) {
        guard let begin = openedAt else {
            openedAt = seconds
            return
        }
        guard seconds - begin >= width else { return }
        complete.append(open)
        open = Content()
        openedAt = seconds
        guard complete.count > Self.limit else { return }
        width *= 2
        complete = stride(from: 0, to: complete.count, by: 2).map { index in
            var block = complete[index]
            if index + 1 < complete.count { block.merge(complete[index + 1]) }
            return block
        }
    }

    /// Rewrites every block.
    mutating func update(_ change: (inout Content) -> Void) {
        for index in complete.indices { change(&complete[index]) }
        change(&open)
    }
}

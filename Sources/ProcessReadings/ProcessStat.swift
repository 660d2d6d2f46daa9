/// What `/proc/PID/stat` says, of what Oakum needs (proc_pid_stat(5); field numbers in brackets).
package struct ProcessStat: Hashable, Sendable {
    /// One letter [3]: R, S, D, T, Z and others.
    package var state: UInt8
    package var parent: Int32
    package var session: Int32
    /// Clock ticks spent in user mode [14] and in the kernel [15].
    package var userTicks: UInt64
    package var systemTicks: UInt64
    package var threads: Int
    /// Clock ticks after boot [22].
    package var startTicks: UInt64

    /// A dead process that its parent has not reaped: it has no memory any more, and zero would be a lie.
    package var isZombie: Bool { state == UInt8(ascii: "Z") || state == UInt8(ascii: "X") }

    /// Reads the file's content; nil when it is not that.
    package init?(_ bytes: Span<UInt8>) {
        // The name [2] may hold spaces and brackets: fields count from the last closing one.
        var close = bytes.count - 1
        while close >= 0, bytes[close] != UInt8(ascii: ")") { close -= 1 }
        guard close >= 0 else { return nil }
        var scanner = ByteScanner(at: close + 1)
        scanner.skipBlanks(bytes)
        guard !scanner.isAtEnd(bytes) else { return nil }
        state = bytes[scanner.position]
        guard state > 0x20, scanner.skipField(bytes),
            let parent = scanner.number(bytes).flatMap(Int32.init(exactly:)),
            scanner.skipField(bytes),  // process group [5]
            let session = scanner.number(bytes).flatMap(Int32.init(exactly:))
        else { return nil }
        for _ in 7...13 { guard scanner.skipField(bytes) else { return nil } }
        guard let user = scanner.number(bytes), let system = scanner.number(bytes) else { return nil }
        for _ in 16...19 { guard scanner.skipField(bytes) else { return nil } }
        guard let threads = scanner.number(bytes).flatMap(Int.init(exactly:)), scanner.skipField(bytes),
            let start = scanner.number(bytes)
        else { return nil }
        self.parent = parent
        self.session = session
        userTicks = user
        systemTicks = system
        self.threads = threads
        startTicks = start
    }
}

/// What `/proc/PID/statm` says, in pages (proc_pid_statm(5)).
package struct ProcessMemory: Hashable, Sendable {
    /// Field 2: the resident set.
    package var residentPages: UInt64
    /// Field 3: the part of it that belongs to files and shared memory.
    package var sharedPages: UInt64

    /// Reads the file's content; nil when it is not that.
    package init?(_ bytes: Span<UInt8>) {
        var scanner = ByteScanner()
        guard scanner.number(bytes) != nil, let resident = scanner.number(bytes), let shared = scanner.number(bytes)
        else { return nil }
        residentPages = resident
        sharedPages = shared
    }

    /// Pages without a file behind them. The kernel adds the parts up from counters of several processors, so for an
    /// instant `shared` may be the larger one.
    package var anonymousPages: UInt64 { residentPages > sharedPages ? residentPages - sharedPages : 0 }
}

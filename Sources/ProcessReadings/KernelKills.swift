/// Processes that the kernel has killed for want of memory since boot: `oom_kill` of `/proc/vmstat` (proc(5)).
package enum KernelKills {
    /// Reads the content of `/proc/vmstat`; nil where it does not tell.
    package static func count(in bytes: Span<UInt8>) -> UInt64? {
        var scanner = ByteScanner()
        while !scanner.isAtEnd(bytes) {
            if scanner.take("oom_kill ", bytes) { return scanner.number(bytes) }
            scanner.skipLine(bytes)
        }
        return nil
    }

    /// nil where it cannot be read.
    package static func now() -> UInt64? {
        FileBytes.read(path: "/proc/vmstat", limit: 64 << 10).flatMap { count(in: $0.span) }
    }
}

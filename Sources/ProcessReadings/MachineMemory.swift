/// The machine's memory as the kernel sums it up (proc_meminfo(5)).
package struct MachineMemory: Hashable, Sendable {
    package var totalBytes: UInt64
    /// What could be given to processes without swapping.
    package var availableBytes: UInt64

    /// Reads the content of `/proc/meminfo`; nil when it is not that.
    package init?(_ bytes: Span<UInt8>) {
        var total: UInt64?
        var available: UInt64?
        var scanner = ByteScanner()
        while !scanner.isAtEnd(bytes), total == nil || available == nil {
            if scanner.take("MemTotal:", bytes) {
                total = scanner.number(bytes)
            } else if scanner.take("MemAvailable:", bytes) {
                available = scanner.number(bytes)
            }
            scanner.skipLine(bytes)
        }
        guard let total, let available, total > 0, available <= total, total < 1 << 53 else { return nil }
        totalBytes = total * 1_024
        availableBytes = available * 1_024
    }

    /// nil where it cannot be read.
    package static func now() -> MachineMemory? {
        FileBytes.read(path: "/proc/meminfo", limit: 64 << 10).flatMap { MachineMemory($0.span) }
    }
}

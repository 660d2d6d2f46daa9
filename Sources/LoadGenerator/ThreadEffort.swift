import CLinux
import Glibc

/// How hard the generator's own thread worked: whether the figures are its own limits rather than the service's.
struct ThreadEffort: Hashable, Sendable {
    private var wall: Int64 = 0
    private var processor: Int64 = 0
    private var waited: Int64?
    /// Processor time by wall time, 0...1.
    private(set) var busyShare = 0.0
    /// Time it was ready to run and another process had the processor, by wall time; nil where the kernel does not tell
    /// (`/proc/thread-self/schedstat`).
    private(set) var waitShare: Double?

    init() {}

    mutating func begin() {
        wall = monotonicNanoseconds()
        processor = threadNanoseconds()
        waited = runQueueNanoseconds()
    }

    mutating func end() {
        let spent = Double(max(monotonicNanoseconds() - wall, 1))
        busyShare = Double(threadNanoseconds() - processor) / spent
        if let before = waited, let after = runQueueNanoseconds() { waitShare = Double(after - before) / spent }
    }
}

private func threadNanoseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

/// Second number of schedstat (proc(5)): nanoseconds spent waiting on a run queue.
private func runQueueNanoseconds() -> Int64? {
    let descriptor = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var buffer = [UInt8](repeating: 0, count: 128)
    let count = read(descriptor, &buffer, buffer.count)
    guard count > 0 else { return nil }
    let fields = buffer[..<count].split(separator: UInt8(ascii: " "))
    return fields.count >= 2 ? Int64(String(decoding: fields[1], as: UTF8.self)) : nil
}

import CLinux
import Glibc

/// One reading of one process.
package struct ProcessReading: Hashable, Sendable {
    package var memory: ProcessMemory
    package var stat: ProcessStat
}

/// Reads one process, again and again, through files that stay open: about a third of the cost of opening them anew.
///
/// An open file of procfs belongs to the process, not to its pid: after its death reading fails, whoever gets the pid
/// next. The start time is compared at each reading all the same. Not for use by two threads at once.
package final class ProcessReader {
    package let pid: Int32
    package let startTicks: UInt64
    private let statm: Int32
    private let stat: Int32

    /// Opens the process's files; nil when there is no process with this pid and start time.
    package init?(pid: Int32, startTicks: UInt64, buffer: inout [UInt8]) {
        self.pid = pid
        self.startTicks = startTicks
        guard pid > 0 else { return nil }
        stat = open("/proc/\(pid)/stat", O_RDONLY | O_CLOEXEC)
        statm = open("/proc/\(pid)/statm", O_RDONLY | O_CLOEXEC)
        guard read(&buffer) != nil else { return nil }
    }

    deinit {
        if stat >= 0 { close(stat) }
        if statm >= 0 { close(statm) }
    }

    /// Nil when the process is gone or a zombie, or cannot be read. `buffer` is scratch space of at least 1 KiB.
    package func read(_ buffer: inout [UInt8]) -> ProcessReading? {
        guard let statCount = FileBytes.read(stat, into: &buffer),
            let stat = ProcessStat(buffer.span.extracting(first: statCount)), stat.startTicks == startTicks,
            !stat.isZombie,
            let count = FileBytes.read(statm, into: &buffer),
            let memory = ProcessMemory(buffer.span.extracting(first: count))
        else { return nil }
        return ProcessReading(memory: memory, stat: stat)
    }
}

/// Whole small files of procfs, sysfs and cgroupfs.
package enum FileBytes {
    /// Reads an open file from its start; nil when that fails. What does not fit into the buffer is left out.
    package static func read(_ descriptor: Int32, into buffer: inout [UInt8]) -> Int? {
        guard descriptor >= 0 else { return nil }
        while true {
            let count = pread(descriptor, &buffer, buffer.count, 0)
            if count < 0, errno == EINTR { continue }
            return count >= 0 ? count : nil
        }
    }

    /// Opens and reads a file, at most the first `limit` bytes; nil when it cannot be read.
    package static func read(path: String, limit: Int = 65_536) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4_096)
        while bytes.count < limit {
            let count = Glibc.read(descriptor, &chunk, min(chunk.count, limit - bytes.count))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return nil }
            guard count > 0 else { break }
            bytes += chunk.prefix(count)
        }
        return bytes
    }
}

/// Fixed facts of this machine.
package enum Machine {
    /// Bytes of a page of memory.
    package static let pageBytes = UInt64(max(1, sysconf(Int32(_SC_PAGESIZE))))
    /// Clock ticks in a second, as procfs counts them.
    package static let ticksPerSecond = Double(max(1, sysconf(Int32(_SC_CLK_TCK))))
}

/// Open descriptors of a process; nil when its folder cannot be read (gone, or another user's).
///
/// Since Linux 6.2 the folder's size is the count; before that its entries are counted, at most 1,048,576.
package func openDescriptors(of pid: Int32) -> Int? {
    let path = "/proc/\(pid)/fd"
    guard let folder = opendir(path) else { return nil }
    defer { closedir(folder) }
    var information = Glibc.stat()
    if fstat(dirfd(folder), &information) == 0, information.st_size > 0 { return Int(information.st_size) }
    var count = 0
    while count < 1 << 20, let entry = readdir(folder) {
        if entry.pointee.d_name.0 != CChar(bitPattern: UInt8(ascii: ".")) { count += 1 }
    }
    return count
}

import CLinux
import Glibc
package import OakumModel

/// Memory that is not ours: another process's, or a fake one in a test. Every read may fail or come short.
package protocol MemorySource {
    /// Reads bytes from `address` on into the buffer.
    /// - Returns: how many bytes from the start were read; 0 when the first of them is not readable.
    func read(at address: UInt64, into buffer: UnsafeMutableRawBufferPointer) -> Int
}

/// The memory of a living process, read with process_vm_readv(2): the process is not stopped and does not notice.
package struct RemoteMemory: MemorySource, Sendable {
    package let identity: ProcessIdentity

    /// Opens the memory of a process, and reads a little of it to see whether that is allowed.
    /// - Throws: `InspectionError.gone` when the pid is free or now means another process; `.notPermitted` with what to
    ///   do about it.
    package init(_ identity: ProcessIdentity) throws(InspectionError) {
        self.identity = identity
        guard Self.isSupported else {
            throw .unsupported(
                "types and holders are read on Linux on x86-64 alone; sites and lines are told all the same")
        }
        try check()
        guard let text = ProcFile.bytes("/proc/\(identity.pid)/maps", limit: MemoryMap.textLimit) else {
            throw .notPermitted(AccessProblem.explain(pid: identity.pid))
        }
        let map = try MemoryMap(text)
        guard let probe = map.regions.first(where: { $0.isReadable && $0.isWritable }) else {
            // A process without one writable page is a kernel thread, or one that is just ending.
            throw .gone(identity)
        }
        var byte: UInt8 = 0
        let code = withUnsafeMutableBytes(of: &byte) { Self.transfer(identity.pid, probe.start, $0) }
        if code == -Int(EPERM) { throw .notPermitted(AccessProblem.explain(pid: identity.pid)) }
        if code == -Int(ESRCH) { throw .gone(identity) }
    }

    private static var isSupported: Bool {
        #if arch(x86_64) && os(Linux)
            true
        #else
            false
        #endif
    }

    /// - Throws: `InspectionError.gone` when the process has ended, or its pid means another one by now.
    package func check() throws(InspectionError) {
        guard linux_start_ticks(identity.pid) == identity.startTicks, identity.startTicks != 0 else {
            throw .gone(identity)
        }
    }

    package func read(at address: UInt64, into buffer: UnsafeMutableRawBufferPointer) -> Int {
        max(0, Self.transfer(identity.pid, address, buffer))
    }

    /// The number of bytes read, or a negative errno value.
    private static func transfer(_ pid: Int32, _ address: UInt64, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard let base = buffer.baseAddress, buffer.count > 0 else { return 0 }
        return Int(linux_read_memory(pid, address, base, UInt64(buffer.count)))
    }
}

/// Why a process could not be looked into.
package enum InspectionError: Error, Hashable, Sendable, CustomStringConvertible {
    /// It has ended, or its pid means another process by now.
    case gone(ProcessIdentity)
    /// The kernel does not let us read its memory; the text says which right is missing and how to get it.
    case notPermitted(String)
    /// A file of procfs is not what it should be.
    case malformed(String)
    /// Not x86-64 Linux.
    case unsupported(String)

    package var description: String {
        switch self {
        case .gone(let identity):
            "process \(identity.pid) has ended (or another process has its number by now): only what was recorded "
                + "before can be shown"
        case .notPermitted(let why): why
        case .malformed(let what): what
        case .unsupported(let what): what
        }
    }
}

/// Small files of procfs.
enum ProcFile {
    /// At most the first `limit` bytes; nil when it cannot be read.
    static func bytes(_ path: String, limit: Int) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var result: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while result.count < limit {
            let count = Glibc.read(descriptor, &chunk, min(chunk.count, limit - result.count))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return nil }
            guard count > 0 else { break }
            result += chunk.prefix(count)
        }
        return result
    }

    static func text(_ path: String, limit: Int = 65_536) -> String? {
        bytes(path, limit: limit).map { String(decoding: $0, as: UTF8.self) }
    }
}

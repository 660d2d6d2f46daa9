import Glibc
import OakumModel
import ProcessReadings
import Synchronization

/// A child process of the drill: leads a process group of its own (so that Ctrl-C on the terminal reaches the drill
/// alone), reads from nowhere, writes to a log file, inherits no other descriptor and no ignored or blocked signal.
///
/// Only its owner waits for it, so its pid cannot be reused while this object believes it alive.
final class SpawnedProcess: Sendable {
    /// How a process ended.
    enum Exit: Hashable, Sendable, CustomStringConvertible {
        case code(Int32)
        case signal(Int32)

        var description: String {
            switch self {
            case .code(let code): "exit code \(code)"
            case .signal(let signal): "signal \(signal)"
            }
        }
    }

    let pid: Int32
    let logPath: String
    private let exit = Mutex<Exit?>(nil)

    /// - Parameters:
    ///   - words: argv, its first word a path.
    ///   - environment: added to the drill's own.
    init(
        _ words: [String], environment: [(key: String, value: String)], logPath: String
    ) throws(DrillError) {
        guard let program = words.first else { throw .couldNotRun("an empty command") }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, logPath, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // Everything here is opened close-on-exec; this is for what others left open. Closing what is not open is no
        // error.
        for descriptor: Int32 in 3..<256 { posix_spawn_file_actions_addclose(&actions, descriptor) }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setpgroup(&attributes, 0)
        var signals = sigset_t()
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
        var argv: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] = Self.environment(with: environment).map { strdup($0) } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, program, &actions, &attributes, &argv, &envp)
        guard code == 0 else {
            throw .couldNotRun("\(program) cannot be started: \(String(cString: strerror(code)))")
        }
        self.pid = pid
        self.logPath = logPath
    }

    /// How it ended; nil while it runs. Reaps it.
    func exitNow() -> Exit? {
        exit.withLock { exit in
            if exit == nil { exit = reap(WNOHANG) }
            return exit
        }
    }

    func send(_ signal: Int32) {
        exit.withLock { exit in
            guard exit == nil else { return }
            kill(pid, signal)
        }
    }

    /// Kills the whole group and waits for the process itself.
    func killGroup() {
        exit.withLock { exit in
            // The group may outlive its leader, and its number stays taken as long as it does.
            kill(-pid, SIGKILL)
            if exit == nil { exit = reap(0) }
        }
    }

    private func reap(_ options: Int32) -> Exit? {
        var status: Int32 = 0
        var result = waitpid(pid, &status, options)
        while result < 0, errno == EINTR { result = waitpid(pid, &status, options) }
        guard result == pid else { return nil }
        // The encoding of wait(2): the low seven bits hold the signal, the next byte the exit code.
        return status & 0x7f == 0 ? .code((status >> 8) & 0xff) : .signal(status & 0x7f)
    }

    /// Resident memory right now (`/proc/PID/statm` field 2); nil when it cannot be read.
    func residentBytes() -> Int64? {
        guard let bytes = FileBytes.read(path: "/proc/\(pid)/statm", limit: 4_096),
            let memory = ProcessMemory(bytes.span), memory.residentPages > 0
        else { return nil }
        return Int64(memory.residentPages * Machine.pageBytes)
    }

    private static func environment(with additions: [(key: String, value: String)]) -> [String] {
        var result: [String] = []
        var entry = environ
        while let text = entry.pointee {
            let line = String(cString: text)
            let key = line.prefix { $0 != "=" }
            if !additions.contains(where: { $0.key == key }) { result.append(line) }
            entry += 1
        }
        return result + additions.map { "\($0.key)=\($0.value)" }
    }
}

/// The text of the first MiB of a file; nil when it cannot be read.
func readSmallFile(_ path: String) -> String? {
    FileBytes.read(path: path, limit: 1 << 20).map { String(decoding: $0, as: UTF8.self) }
}

/// The last lines of a log, for messages about failures. At most 2,000 bytes.
func tail(of path: String, lines: Int = 12) -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return "(no log at \(path))" }
    defer { close(descriptor) }
    let size = lseek(descriptor, 0, SEEK_END)
    lseek(descriptor, max(0, size - 2_000), SEEK_SET)
    var chunk = [UInt8](repeating: 0, count: 2_000)
    let count = read(descriptor, &chunk, chunk.count)
    guard count > 0 else { return "(it wrote nothing)" }
    let text = String(decoding: chunk[..<count], as: UTF8.self)
    return text.split(separator: "\n").suffix(lines).joined(separator: "\n")
}

/// Seconds since boot: the clock of events.
func uptimeNow() -> Uptime {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    return Uptime(seconds: Double(time.tv_sec) + Double(time.tv_nsec) / 1e9)
}

import CLinux
import Glibc
import Synchronization

/// A child process that leads a process group of its own (so that Ctrl-C on the terminal does not reach it), reads from
/// nowhere, writes to a file, and inherits no other descriptor and no ignored or blocked signal.
///
/// Only its owner waits for it, so its pid cannot be reused while this object believes it alive.
package final class SpawnedProcess: Sendable {
    /// How a process ended.
    package enum Exit: Hashable, Sendable, CustomStringConvertible {
        case code(Int32)
        case signal(Int32)

        package var description: String {
            switch self {
            case .code(let code): "exit code \(code)"
            case .signal(let signal): "signal \(signal)"
            }
        }
    }

    package let pid: Int32
    /// Where standard output and standard error go, in the order of writing.
    package let outputPath: String
    private let exit = Mutex<Exit?>(nil)

    /// Starts it.
    /// - Parameters:
    ///   - words: argv, its first word a path.
    ///   - environment: what differs from the environment of this process; nil removes a variable.
    ///   - outputPath: appended to, created with mode 0600.
    /// - Throws: `SpawnError` with the program's path when it cannot be started.
    package init(
        _ words: [String], environment: [String: String?] = [:], outputPath: String
    ) throws(SpawnError) {
        guard let program = words.first else { throw SpawnError(reason: "an empty command cannot be started") }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, outputPath, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        linux_spawn_close_from(&actions, 3)
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
            throw SpawnError(reason: "\(program) cannot be started: \(String(cString: linux_error_text(code)))")
        }
        self.pid = pid
        self.outputPath = outputPath
    }

    /// How it ended; nil while it runs. Reaps it.
    package func exitNow() -> Exit? {
        exit.withLock { exit in
            if exit == nil { exit = reap(WNOHANG) }
            return exit
        }
    }

    /// How it ended, as soon as it has; nil when that takes longer. Blocks the calling thread.
    /// - Parameter milliseconds: at most this long, real time.
    package func waitForExit(milliseconds: Int32) -> Exit? {
        guard exitNow() == nil else { return exitNow() }
        linux_wait_exit(pid, milliseconds)
        return exitNow()
    }

    package func send(_ signal: Int32) {
        exit.withLock { exit in
            guard exit == nil else { return }
            kill(pid, signal)
        }
    }

    /// Kills the whole group and waits for the process itself.
    package func killGroup() {
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

    private static func environment(with changes: [String: String?]) -> [String] {
        var result: [String] = []
        var entry = environ
        while let text = entry.pointee {
            let line = String(cString: text)
            if changes.index(forKey: String(line.prefix { $0 != "=" })) == nil { result.append(line) }
            entry += 1
        }
        return result + changes.compactMap { key, value in value.map { "\(key)=\($0)" } }.sorted()
    }
}

/// Why a process could not be started: for people, with the program's path.
package struct SpawnError: Error, Hashable, CustomStringConvertible {
    package var reason: String
    package var description: String { reason }
}

import Glibc
import Synchronization

/// Runs a program for as long as the scope lasts. It leads a process group of its own, and the whole group is killed at
/// the end. It inherits standard input from nowhere, no other descriptor, and the environment of the test plus
/// `environment` (an empty value removes a variable).
package func withProcess<Result>(
    _ executable: String, _ arguments: [String] = [], environment: [String: String] = [:],
    _ body: (ChildProcess) async throws -> Result
) async throws -> Result {
    try await withTemporaryFolder { folder in
        let process = try ChildProcess.start(
            executable, arguments, environment: environment, outputPath: folder.file("output"))
        defer { process.killGroup() }
        return try await body(process)
    }
}

/// See `withProcess`.
package final class ChildProcess: Sendable {
    /// How a process ended.
    package enum Exit: Hashable, Sendable {
        case code(Int32)
        case signal(Int32)
    }

    package let pid: Int32
    private let outputPath: String
    private let exit = Mutex<Exit?>(nil)

    private init(pid: Int32, outputPath: String) {
        self.pid = pid
        self.outputPath = outputPath
    }

    /// What it has written so far to standard output and standard error, in the order of writing.
    package func output() -> String {
        let descriptor = open(outputPath, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += chunk[..<count]
        }
    }

    /// Waits until it has written a line that contains the text, and returns the line.
    /// - Throws: `TestKitError` with the whole output when the process ends without it or the time is over.
    package func line(containing text: String, within limit: Duration = .seconds(20)) async throws -> String {
        do {
            return try await eventually("a line with \"\(text)\"", within: limit) {
                let ended = exitNow() != nil
                let found = output().split(separator: "\n").first { $0.contains(text) }
                if found == nil, ended { throw Ended() }
                return found.map(String.init)
            }
        } catch {
            throw TestKitError("\(error); the process wrote:\n\(output())")
        }
    }

    package func send(_ signal: Int32) {
        guard exitNow() == nil else { return }
        kill(pid, signal)
    }

    /// Waits for its end.
    /// - Throws: `TestKitError` with the whole output when the time is over.
    package func waitForExit(within limit: Duration = .seconds(20)) async throws -> Exit {
        do {
            return try await eventually("process \(pid) to end", within: limit) { exitNow() }
        } catch {
            throw TestKitError("\(error); the process wrote:\n\(output())")
        }
    }

    /// How it ended; nil while it runs.
    package func exitNow() -> Exit? {
        exit.withLock { exit in
            if exit != nil { return exit }
            var status: Int32 = 0
            guard waitpid(pid, &status, WNOHANG) == pid else { return nil }
            // The encoding of wait(2): the low seven bits hold the signal, the next byte the exit code.
            exit = status & 0x7F == 0 ? .code((status >> 8) & 0xFF) : .signal(status & 0x7F)
            return exit
        }
    }

    private struct Ended: Error, CustomStringConvertible {
        var description: String { "the process has ended" }
    }

    fileprivate func killGroup() {
        kill(-pid, SIGKILL)
        exit.withLock { exit in
            guard exit == nil else { return }
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
            exit = .signal(SIGKILL)
        }
    }

    fileprivate static func start(
        _ executable: String, _ arguments: [String], environment: [String: String], outputPath: String
    ) throws -> ChildProcess {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, outputPath, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // Closing what is not open is no error here; test processes hold far fewer descriptors than this.
        for descriptor: Int32 in 3..<512 { posix_spawn_file_actions_addclose(&actions, descriptor) }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setpgroup(&attributes, 0)
        var defaults = sigset_t()
        sigfillset(&defaults)
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        var mask = sigset_t()
        sigemptyset(&mask)
        posix_spawnattr_setsigmask(&attributes, &mask)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
        var argv: [UnsafeMutablePointer<CChar>?] = ([executable] + arguments).map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] = merged(environment).map { strdup($0) } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, executable, &actions, &attributes, &argv, &envp)
        guard code == 0 else {
            throw TestKitError("cannot start \(executable): \(String(cString: strerror(code)))")
        }
        return ChildProcess(pid: pid, outputPath: outputPath)
    }

    private static func merged(_ changes: [String: String]) -> [String] {
        var result: [String] = []
        var entry = environ
        while let text = entry.pointee {
            let line = String(cString: text)
            if changes[String(line.prefix { $0 != "=" })] == nil { result.append(line) }
            entry += 1
        }
        return result + changes.filter { !$0.value.isEmpty }.map { "\($0.key)=\($0.value)" }.sorted()
    }
}

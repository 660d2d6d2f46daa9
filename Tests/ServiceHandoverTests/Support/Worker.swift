import Glibc
import OakumTestKit
import PrometheusText
import ServiceHandover

/// A worker process that a test starts as a supervisor would: sockets at 3 and 4, and the variables that name them.
final class Worker: Sendable {
    let pid: pid_t
    let admin: ListenAddress
    private let outputPath: String

    /// Starts the program; its own admin socket and its output lie in `folder`.
    init(
        _ program: String, http: CInt, folder: TemporaryFolder, number: Int, notify: String? = nil,
        descriptorLimit: Int? = nil
    ) throws {
        let path = folder.file("admin-\(number)")
        admin = .unixDomainSocket(path: path)
        outputPath = folder.file("output-\(number)")
        let adminDescriptor = try Self.listen(path)
        defer { close(adminDescriptor) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, outputPath, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // Through numbers that nobody has, for 3 and 4 may be the very descriptors to pass.
        posix_spawn_file_actions_adddup2(&actions, http, 900)
        posix_spawn_file_actions_adddup2(&actions, adminDescriptor, 901)
        posix_spawn_file_actions_adddup2(&actions, 900, 3)
        posix_spawn_file_actions_adddup2(&actions, 901, 4)
        for descriptor: CInt in 5..<902 { posix_spawn_file_actions_addclose(&actions, descriptor) }
        // The shell becomes the program, so that its process number is the one to state.
        let limit = descriptorLimit.map { "ulimit -n \($0); " } ?? ""
        let script = limit + "export LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=http:admin; exec \"$0\""
        let arguments = ["/bin/sh", "-c", script, program]
        let environment = ["PATH=/usr/bin:/bin"] + (notify.map { ["NOTIFY_SOCKET=\($0)"] } ?? [])
        var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, "/bin/sh", &actions, nil, &argv, &envp)
        guard code == 0 else { throw TestKitError("cannot start \(program): \(String(cString: strerror(code)))") }
        self.pid = pid
    }

    var output: String { contents(of: outputPath) }

    /// Waits until it serves.
    func serves() async throws {
        do {
            try await eventually("worker \(pid) to serve") {
                guard waitpid(pid, nil, WNOHANG) == 0 else { throw TestKitError("it has ended") }
                return output.contains("serving")
            }
        } catch {
            throw TestKitError("\(error); it wrote:\n\(output)")
        }
    }

    func drain() { kill(pid, SIGTERM) }

    /// Waits for its end and reaps it; true when it ended by itself with success.
    func ended() async throws -> Bool {
        var status: CInt = 0
        try await eventually("worker \(pid) to end") { waitpid(pid, &status, WNOHANG) == pid }
        return status == 0
    }

    func metric(_ name: String) async throws -> Double {
        let admin = admin
        let answer = try await blocking { try PlainClient(admin).get("/metrics", headers: "Connection: close\r\n") }
        guard let value = PrometheusText.parse(answer.text).value(name) else { throw TestKitError("no \(name)") }
        return value
    }

    /// Resident memory in bytes.
    func residentBytes() throws -> Int {
        let fields = contents(of: "/proc/\(pid)/statm").split(separator: " ")
        guard fields.count > 1, let pages = Int(fields[1]) else { throw TestKitError("no memory of \(pid)") }
        return pages * sysconf(CInt(_SC_PAGESIZE))
    }

    /// For the end of a scope: kills what is still there.
    func kill() { Glibc.kill(pid, SIGKILL) }

    private func kill(_ pid: pid_t, _ signal: CInt) { Glibc.kill(pid, signal) }

    private static func listen(_ path: String) throws -> CInt {
        let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        var address = try sockaddr_un.path(path)
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard code == 0, Glibc.listen(descriptor, 16) == 0 else { throw TestKitError("cannot listen at \(path)") }
        return descriptor
    }
}

/// A file's text; empty when it cannot be read.
func contents(of path: String) -> String {
    guard let file = fopen(path, "r") else { return "" }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65536)
    while true {
        let count = fread(&chunk, 1, chunk.count, file)
        guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
        bytes += chunk[..<count]
    }
}

/// A datagram socket that plays the supervisor's ear.
final class NotifyListener: Sendable {
    private let descriptor: CInt

    /// Binds to a path, or to an abstract name when it starts with `@`.
    init(_ address: String) throws {
        descriptor = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        var target = try sockaddr_un.path(address)
        let isAbstract = address.hasPrefix("@")
        if isAbstract { target.sun_path.0 = 0 }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + address.utf8.count + (isAbstract ? 0 : 1))
        let code = withUnsafePointer(to: &target) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        guard code == 0 else { throw TestKitError("cannot bind \(address): \(String(cString: strerror(errno)))") }
    }

    deinit { close(descriptor) }

    /// The next message, waiting for it.
    func next() async throws -> String {
        try await eventually("a message") {
            var bytes = [UInt8](repeating: 0, count: 4096)
            let count = recv(descriptor, &bytes, bytes.count, CInt(MSG_DONTWAIT))
            return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
        }
    }
}

import CLinux
import Glibc
import KeeperProtocol

/// Turns an order into a running process.
struct WorkerLauncher {
    /// Connections that may wait on a worker's admin socket.
    static let adminBacklog: Int32 = 64

    let folder: StateFolder
    /// The mask that the keeper itself was started with.
    let originalMask: mode_t

    struct Failure: Error {
        var text: String
    }

    struct Started {
        var process: KeptProcess
        var adminSocket: String
    }

    /// Starts a worker: descriptor 3 is the shared socket (when there is one), the next is its admin socket.
    func launch(
        _ key: WorkerKey, _ build: BuildOrder, runAs: RunAs?, shared: Int32?, log: Int32
    ) throws(Failure) -> Started {
        let adminSocket = folder.adminSocket(key)
        let admin = linux_listen_unix(adminSocket, 0o600, Self.adminBacklog)
        guard admin >= 0 else {
            throw Failure(text: "cannot open the admin socket \(adminSocket): \(errorText(admin))")
        }
        // The worker alone keeps it: once it is dead, connecting is refused instead of waiting for nobody.
        defer { close(admin) }
        let environment = environment(key, build)
        let path = environment.first { $0.hasPrefix("PATH=") }.map { String($0.dropFirst(5)) }
        guard let program = build.command.first, let spawn = linux_spawn_new(program, path ?? "") else {
            throw Failure(text: "out of memory")
        }
        defer { linux_spawn_free(spawn) }
        for argument in build.command.dropFirst() { linux_spawn_add_argument(spawn, argument) }
        for entry in environment { linux_spawn_add_environment(spawn, entry) }
        if let shared { linux_spawn_add_fd(spawn, shared) }
        linux_spawn_add_fd(spawn, admin)
        linux_spawn_set_listen_names(spawn, shared == nil ? "admin" : "http:admin")
        if log >= 0 { linux_spawn_set_output(spawn, log) }
        if !build.folder.isEmpty { linux_spawn_set_folder(spawn, build.folder) }
        linux_spawn_set_umask(spawn, originalMask)
        if let user = runAs {
            linux_spawn_set_user(spawn, user.uid, user.gid)
            for group in user.groups { linux_spawn_add_group(spawn, group) }
        }
        let result = linux_spawn_run(spawn)
        guard result.error == 0, result.pid > 0 else {
            unlink(adminSocket)
            // Every client is told: a program's name may be as long as an order.
            let name = program.utf8.count > 300 ? "\(program.prefix(300))…" : program
            throw Failure(text: "cannot \(String(cString: result.step)) \(name): \(errorText(result.error))")
        }
        // It cannot be gone: even when it has died already, only the keeper reaps it.
        let process = KeptProcess(pid: result.pid, startTicks: linux_start_ticks(result.pid))
        return Started(process: process, adminSocket: adminSocket)
    }

    /// The ordered environment with what the keeper itself has to say in it.
    private func environment(_ key: WorkerKey, _ build: BuildOrder) -> [String] {
        let own = [
            "LISTEN_PID=", "LISTEN_FDS=", "LISTEN_FDNAMES=", "NOTIFY_SOCKET=", "OAKUM_WORKER=", "OAKUM_SERVICE=",
            "OAKUM_RELEASE=",
        ]
        let kept = build.environment.filter { entry in !own.contains { entry.hasPrefix($0) } }
        let told = [
            "NOTIFY_SOCKET=\(folder.notify)", "OAKUM_WORKER=\(key.number)", "OAKUM_SERVICE=\(key.service)",
        ]
        return kept + told + (build.release.isEmpty ? [] : ["OAKUM_RELEASE=\(build.release)"])
    }
}

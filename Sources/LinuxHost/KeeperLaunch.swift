import CLinux
import Glibc
import OakumEngine

/// Starts a keeper that outlives us: a session of its own (no Ctrl-C of our terminal reaches it), a child of init.
struct KeeperLaunch {
    /// Path of `oakum-keeper`.
    let program: String
    let stateFolder: String
    /// How long a keeper may take until it can be reached, in milliseconds.
    static let readyMilliseconds: UInt64 = 10_000

    enum Outcome {
        case ready
        /// Another keeper serves the folder: it can be reached, or soon will be.
        case another(String)
    }

    /// Returns when the keeper can be reached.
    ///
    /// - Throws: `refused` with the keeper's own words when it does not come up.
    func run() throws(WorkerControlError) -> Outcome {
        var ends: [Int32] = [-1, -1]
        let made = linux_pipe(&ends)
        guard made == 0, let spawn = linux_spawn_new(program, nil) else {
            throw .refused("cannot start the keeper: \(KeeperConnection.text(made == 0 ? ENOMEM : made))")
        }
        defer {
            linux_spawn_free(spawn)
            close(ends[0])
        }
        for argument in ["--state", stateFolder, "--ready-fd", "3"] { linux_spawn_add_argument(spawn, argument) }
        linux_spawn_add_fd(spawn, ends[1])
        linux_spawn_set_detached(spawn)
        let result = linux_spawn_run(spawn)
        close(ends[1])
        guard result.error == 0 else {
            throw .refused(
                "cannot \(String(cString: result.step)) \(program): \(KeeperConnection.text(result.error))")
        }
        let news = readNews(ends[0])
        if news == "ready\n" { return .ready }
        let reason = news.split(separator: " ", maxSplits: 1).last.map { String($0.dropLast()) } ?? ""
        if news.hasPrefix("busy: ") { return .another(reason) }
        guard news.hasPrefix("error: ") else {
            throw .refused(
                "the keeper ended before it could be reached, or took more than \(Self.readyMilliseconds / 1_000) s; "
                    + "see \(stateFolder)/logs/keeper.log")
        }
        throw .refused("the keeper could not start: \(reason)")
    }

    /// What the keeper wrote until it closed the pipe.
    private func readNews(_ descriptor: Int32) -> String {
        var text: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4_096)
        let deadline = linux_uptime_ms() + Self.readyMilliseconds
        while text.count < 16_384 {
            let now = linux_uptime_ms()
            var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard now < deadline else { break }
            let ready = poll(&wait, 1, Int32(clamping: deadline - now))
            if ready < 0, errno == EINTR { continue }
            guard ready > 0 else { break }
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            text += chunk.prefix(count)
        }
        return String(decoding: text, as: UTF8.self)
    }
}

import CLinux
import GRDB
import Glibc
import OakumTestKit

/// A process that owns an outbox, the receiver of its messages, and whoever gives it messages: all of it driven by one
/// thread that waits for whatever happens next, and can kill the process exactly there.
struct KilledProcess {
    /// When to kill it.
    enum Death {
        /// Where it says that it is.
        case at(label: String, occurrence: Int)
        /// After so many events of any kind, and this much later.
        case afterEvents(Int, milliseconds: Int32)
    }

    struct Message {
        var id: String
        var destination: String
        var priority: Int
        var thread: String
    }

    let folder: TemporaryFolder
    private let listener: Int32
    /// How often the receiver has taken each message.
    private(set) var taken: [String: Int] = [:]
    /// Messages for which the owner has said "ok".
    private(set) var accepted: Set<String> = []
    private(set) var acknowledged: Set<String> = []
    private(set) var kills = 0
    private var generator: SeededGenerator

    init(folder: TemporaryFolder, seed: UInt64) throws {
        self.folder = folder
        generator = SeededGenerator(seed: seed)
        listener = linux_listen_unix(folder.file("receiver"), 0o600, 64)
        guard listener >= 0 else { throw TestKitError("no receiver") }
    }

    func end() {
        close(listener)
    }

    /// Starts the process, gives it the messages it has not accepted yet, and lets it run until it is killed, or
    /// everything is delivered and heard and it has ended by itself.
    mutating func run(_ messages: [Message], acknowledging: [String], death: Death?) throws {
        let process = try Process(folder: folder)
        defer { process.end() }
        var session = Session(process: process, listener: listener, death: death)
        for message in messages where !accepted.contains(message.id) {
            session.say("put \(message.id) \(message.destination) \(message.priority) \(message.thread)")
        }
        for id in acknowledging where !acknowledged.contains(id) { session.say("ack \(id)") }
        session.say("status")
        try session.run(&self)
        if session.wasKilled { kills += 1 }
    }

    /// What the receiver says to a message.
    fileprivate mutating func answer(_ id: String) -> String {
        if generator.chance(0.15) { return "later\n" }
        taken[id, default: 0] += 1
        return "ok\n"
    }

    fileprivate mutating func hear(_ line: String, _ session: inout Session) throws {
        let words = line.split(separator: " ").map(String.init)
        switch words.first {
        case "ok": accepted.insert(words[1])
        case "acked": acknowledged.insert(words[1])
        case "status" where words.dropFirst() == ["0", "0", "0"]: session.say("stop")
        case "status": session.isAsking = true
        default: throw TestKitError("the process said: \(line)")
        }
    }
}

/// The running process and its three sockets.
private struct Process {
    let pid: pid_t
    let commands: Int32
    let waypoints: Int32

    init(folder: TemporaryFolder) throws {
        let (ours, theirs) = try Self.pair()
        let (waypoints, toldBy) = try Self.pair()
        let output = open(folder.file("output"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard let spawn = linux_spawn_new(try builtExecutable("fixture-outbox"), nil) else {
            throw TestKitError("out of memory")
        }
        defer { linux_spawn_free(spawn) }
        linux_spawn_add_argument(spawn, folder.file("outbox.sqlite"))
        linux_spawn_add_argument(spawn, folder.file("receiver"))
        linux_spawn_add_environment(spawn, "OAKUM_WAYPOINTS=3,4")
        for descriptor in [toldBy, toldBy, theirs] { linux_spawn_add_fd(spawn, descriptor) }
        linux_spawn_set_output(spawn, output)
        let result = linux_spawn_run(spawn)
        for descriptor in [toldBy, theirs, output] { close(descriptor) }
        guard result.error == 0 else { throw TestKitError("cannot start: \(result.error)") }
        pid = result.pid
        commands = ours
        self.waypoints = waypoints
    }

    private static func pair() throws -> (Int32, Int32) {
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw TestKitError("no socket pair")
        }
        return (ends[0], ends[1])
    }

    /// Whatever happened, it does not outlive the test.
    func end() {
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
        close(commands)
        close(waypoints)
    }
}

/// One life of the process.
private struct Session {
    let process: Process
    let listener: Int32
    let death: KilledProcess.Death?
    var isAsking = false
    private(set) var wasKilled = false
    private var events = 0
    private var labels: [String: Int] = [:]
    private var buffers: [Int32: [UInt8]] = [:]

    init(process: Process, listener: Int32, death: KilledProcess.Death?) {
        self.process = process
        self.listener = listener
        self.death = death
        buffers = [process.commands: [], process.waypoints: []]
    }

    func say(_ line: String) {
        Self.send(process.commands, "\(line)\n")
    }

    mutating func run(_ owner: inout KilledProcess) throws {
        let deadline = ContinuousClock.now + .seconds(30)
        defer { for descriptor in buffers.keys where isConnection(descriptor) { close(descriptor) } }
        while buffers[process.commands] != nil {
            guard ContinuousClock.now < deadline else { throw TestKitError("the process does not end") }
            var watched = ([listener] + buffers.keys).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            let ready = poll(&watched, nfds_t(watched.count), isAsking ? 5 : 1000)
            if ready == 0, isAsking {
                isAsking = false
                say("status")
            }
            for entry in watched where entry.revents != 0 {
                entry.fd == listener ? accept() : try read(entry.fd, &owner)
                events += 1
                if case .afterEvents(let count, let milliseconds) = death, events >= count, !wasKilled {
                    poll(nil, 0, milliseconds)
                    kill()
                }
            }
        }
        guard !wasKilled else { return }
        var status: Int32 = 0
        waitpid(process.pid, &status, 0)
        guard status == 0 else { throw TestKitError("the process ended with status \(status)") }
    }

    private func isConnection(_ descriptor: Int32) -> Bool {
        descriptor != process.commands && descriptor != process.waypoints
    }

    private mutating func accept() {
        let descriptor = linux_accept(listener)
        if descriptor >= 0 { buffers[descriptor] = [] }
    }

    private mutating func read(_ descriptor: Int32, _ owner: inout KilledProcess) throws {
        var chunk = [UInt8](repeating: 0, count: 4096)
        let count = recv(descriptor, &chunk, chunk.count, 0)
        guard count > 0 else {
            buffers[descriptor] = nil
            if isConnection(descriptor) { close(descriptor) }
            return
        }
        buffers[descriptor, default: []] += chunk[..<count]
        while let end = buffers[descriptor]?.firstIndex(of: UInt8(ascii: "\n")) {
            let line = String(decoding: buffers[descriptor]?[..<end] ?? [], as: UTF8.self)
            buffers[descriptor]?.removeSubrange(...end)
            try hear(line, from: descriptor, &owner)
        }
    }

    private mutating func hear(_ line: String, from descriptor: Int32, _ owner: inout KilledProcess) throws {
        switch descriptor {
        case process.commands: try owner.hear(line, &self)
        case process.waypoints:
            labels[line, default: 0] += 1
            if case .at(let label, let occurrence) = death, label == line, labels[line] == occurrence {
                kill()
            } else {
                Self.send(descriptor, ".")
            }
        default:
            guard let id = line.split(separator: " ").first else { throw TestKitError("an empty message") }
            Self.send(descriptor, owner.answer(String(id)))
        }
    }

    private mutating func kill() {
        wasKilled = true
        Glibc.kill(process.pid, SIGKILL)
    }

    private static func send(_ descriptor: Int32, _ text: String) {
        let bytes = Array(text.utf8)
        Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }
}

import CLinux
import Glibc
import KeeperCore
import KeeperProtocol

/// The shell around `KeeperState`: one thread, one poll loop, no waiting for anybody.
final class Keeper {
    static let mostClients = 16
    static let noticesPerTurn = 64
    static let logCheckMilliseconds: UInt64 = 1_000
    static let helloDeadlineMilliseconds: UInt64 = 5_000

    let folder: StateFolder
    let log: KeeperLog
    var state = KeeperState()
    var listeners = ServiceListeners()
    var logs: WorkerLogs
    var clients: [Int32: ControlConnection] = [:]
    private let launcher: WorkerLauncher
    private let signals: Int32
    private let notify: Int32
    private let control: Int32
    private var acceptsAgainAt: UInt64 = 0
    private var logsCheckedAt: UInt64 = 0
    private var finished = false
    private var buffer = [UInt8](repeating: 0, count: ControlConnection.bytesPerTurn)

    init(options: KeeperProgram.Options) throws(StartError) {
        let originalMask = umask(0o077)
        folder = try StateFolder(options.state)
        log = KeeperLog(path: folder.ownLog)
        logs = WorkerLogs(folder: folder)
        launcher = WorkerLauncher(folder: folder, originalMask: originalMask)
        signals = linux_signals_open()
        guard signals >= 0 else { throw StartError(text: "cannot listen to signals: \(errorText(signals))") }
        notify = linux_bind_notify(folder.notify, 0o600)
        guard notify >= 0 else { throw StartError(text: "cannot open \(folder.notify): \(errorText(notify))") }
        control = linux_listen_unix(folder.control, 0o600, 32)
        guard control >= 0, fcntl(control, F_SETFL, O_NONBLOCK) == 0 else {
            throw StartError(text: "cannot open \(folder.control): \(errorText(control < 0 ? control : errno))")
        }
        // A working folder would keep its file system from being unmounted. "/" is always there.
        chdir("/")
        if options.readyDescriptor != nil { log.takeStandardError() }
        log.line("keeper \(getpid()) serves \(folder.path)")
    }

    func run() {
        while !finished { turn() }
        for descriptor in clients.keys.sorted() {
            clients[descriptor]?.dismiss("all workers are gone, the keeper ends")
            clients[descriptor]?.flush()
            close(descriptor)
        }
        unlink(folder.control)
        unlink(folder.notify)
        log.line("all workers are gone, the keeper ends")
    }

    // MARK: - One turn of the loop

    private func turn() {
        let now = linux_uptime_ms()
        let accepts = now >= acceptsAgainAt
        var waits = [
            pollfd(fd: signals, events: Int16(POLLIN), revents: 0),
            pollfd(fd: notify, events: Int16(POLLIN), revents: 0),
            pollfd(fd: control, events: accepts ? Int16(POLLIN) : 0, revents: 0),
        ]
        for (descriptor, client) in clients {
            let events = (client.wantsToRead ? POLLIN : 0) | (client.wantsToWrite ? POLLOUT : 0)
            waits.append(pollfd(fd: descriptor, events: Int16(events), revents: 0))
        }
        guard poll(&waits, nfds_t(waits.count), milliseconds(until: nextDeadline(now), from: now)) >= 0 else { return }
        for wait in waits where wait.revents != 0 { handle(wait) }
        for (descriptor, client) in clients where client.hasUnansweredInput { answerInput(descriptor) }
        let after = linux_uptime_ms()
        perform(state.tick(at: after))
        sweepClients(at: after)
        if after >= logsCheckedAt &+ Self.logCheckMilliseconds {
            logsCheckedAt = after
            logs.enforceCaps()
        }
    }

    private func handle(_ wait: pollfd) {
        switch wait.fd {
        case signals: takeSignals()
        case notify: takeNotices()
        case control: takeClient()
        default:
            if wait.revents & Int16(POLLOUT) != 0 { clients[wait.fd]?.flush() }
            if wait.revents & ~Int16(POLLOUT) != 0 { takeInput(wait.fd) }
        }
    }

    private func nextDeadline(_ now: UInt64) -> UInt64 {
        var deadline = state.nextDeadline() ?? .max
        if !state.livingProcesses.isEmpty { deadline = min(deadline, logsCheckedAt &+ Self.logCheckMilliseconds) }
        if now < acceptsAgainAt { deadline = min(deadline, acceptsAgainAt) }
        if clients.values.contains(where: { $0.hasUnansweredInput && $0.listens }) { deadline = now }
        for client in clients.values where !client.saidHello {
            deadline = min(deadline, client.connectedAt &+ Self.helloDeadlineMilliseconds)
        }
        return deadline
    }

    /// For `poll`: -1 waits for ever.
    private func milliseconds(until deadline: UInt64, from now: UInt64) -> Int32 {
        guard deadline != .max else { return -1 }
        return deadline <= now ? 0 : Int32(clamping: deadline - now)
    }

    // MARK: - Events

    private func takeSignals() {
        while true {
            let signal = linux_signals_next(signals)
            guard signal != 0 else { break }
            guard signal != SIGCHLD else { continue }
            log.line("asked to stop by signal \(signal)")
            perform(state.stopAll(at: linux_uptime_ms()))
        }
        // What a worker said before it died was sent before; afterwards its pid means nothing any more.
        takeNotices()
        // Several deaths may come as one signal.
        var ended = linux_exit()
        while linux_next_exit(&ended) {
            let status: ExitStatus = ended.signalled ? .signal(ended.value) : .code(ended.value)
            perform(state.exited(pid: ended.pid, status: status, at: linux_uptime_ms()))
        }
    }

    /// A notice counts for a worker when it comes, by the kernel's word, from the worker's own process or from one in
    /// its session: every worker leads a session, and the processes it starts belong to it unless they leave it.
    /// A sender that is gone by now cannot be told and is ignored; sd_notify_barrier(3), which `systemd-notify` uses,
    /// keeps it waiting for us: receiving a descriptor here closes it.
    private func takeNotices() {
        for _ in 0..<Self.noticesPerTurn {
            var sender: pid_t = 0
            let count = linux_receive_notice(notify, &buffer, 4_096, &sender)
            guard count != -Int(EAGAIN) else { return }
            let worker = sender > 0 ? (state.worker(of: sender) != nil ? sender : getsid(sender)) : 0
            guard count >= 0, worker > 0, state.worker(of: worker) != nil else {
                log.limited("notice", "dropped a notice from process \(sender)", at: linux_uptime_ms())
                continue
            }
            for line in buffer.prefix(count).split(separator: UInt8(ascii: "\n")) {
                if line.elementsEqual("READY=1".utf8) { perform(state.saidReady(pid: worker)) }
                if line.elementsEqual("STOPPING=1".utf8) { perform(state.saidStopping(pid: worker)) }
            }
        }
    }

    private func takeClient() {
        let now = linux_uptime_ms()
        let descriptor = linux_accept(control)
        guard descriptor >= 0 else {
            // Out of descriptors the connection stays pending: without a pause the loop would spin on it.
            if descriptor != -EAGAIN, descriptor != -ECONNABORTED { acceptsAgainAt = now &+ 1_000 }
            return
        }
        var pid: pid_t = 0
        var uid: uid_t = 0
        guard linux_peer(descriptor, &pid, &uid) == 0, uid == geteuid() || uid == 0 else {
            log.limited("peer", "turned away process \(pid) of uid \(uid)", at: now)
            close(descriptor)
            return
        }
        var client = ControlConnection(descriptor: descriptor, connectedAt: now)
        if clients.count >= Self.mostClients {
            log.limited("clients", "turned away process \(pid): \(Self.mostClients) clients already", at: now)
            client.saidHello = true
            client.dismiss("the keeper has \(Self.mostClients) clients already")
            close(descriptor)
            return
        }
        clients[descriptor] = client
    }

    private func takeInput(_ descriptor: Int32) {
        guard let end = clients[descriptor]?.read(into: &buffer) else { return }
        dismiss(descriptor, end)
    }

    /// Answers some of what a client has sent, as long as it takes the answers.
    private func answerInput(_ descriptor: Int32) {
        for _ in 0..<ControlConnection.messagesPerTurn {
            guard clients[descriptor]?.listens == true, let input = clients[descriptor]?.nextMessage() else { return }
            switch input {
            case .message(let message): answer(message, descriptor)
            case .nothing: return
            case .over(let reason): return dismiss(descriptor, reason)
            }
        }
    }

    private func dismiss(_ descriptor: Int32, _ reason: String) {
        if !reason.isEmpty { log.limited("client", "closed a control connection: \(reason)", at: linux_uptime_ms()) }
        clients[descriptor]?.dismiss(reason)
        clients[descriptor]?.flush()
        drop(descriptor)
    }

    private func sweepClients(at now: UInt64) {
        for (descriptor, client) in clients {
            let silent = !client.saidHello && now >= client.connectedAt &+ Self.helloDeadlineMilliseconds
            if client.isOver || silent { drop(descriptor) }
        }
    }

    private func drop(_ descriptor: Int32) {
        guard clients.removeValue(forKey: descriptor) != nil else { return }
        close(descriptor)
    }

    // MARK: - Actions

    /// Carries out actions, and those that follow from their outcome, in order.
    func perform(_ actions: [KeeperAction]) {
        var queue = actions[...]
        while let action = queue.popFirst() {
            switch action {
            case .spawn(let key): queue += start(key)[...]
            case .terminate(let pid): kill(pid, SIGTERM)
            case .kill(let pid):
                log.line("killing process \(pid): it has not stopped in time")
                if kill(0 &- pid, SIGKILL) != 0 { kill(pid, SIGKILL) }
            case .announce(let event): announce(event)
            case .forget(let key):
                unlink(folder.adminSocket(key))
                logs.forget(key)
            case .closeListener(let service): listeners.closeListener(service)
            case .finish: finished = true
            }
        }
    }

    private func start(_ key: WorkerKey) -> [KeeperAction] {
        guard let order = state.order(of: key.service), let build = order.build(of: key.number) else { return [] }
        let output = logs.open(key, cap: order.logCapBytes)
        if output < 0 {
            log.limited(
                "log", "\(folder.log(key)) cannot be opened (\(errorText(output))): worker \(key) writes to nowhere",
                at: linux_uptime_ms())
        }
        let text: String
        do {
            let shared = try listeners.descriptor(of: order)
            if order.runAs != nil { folder.openToOtherUsers() }
            let started = try launcher.launch(key, build, runAs: order.runAs, shared: shared, log: output)
            return state.started(
                key, process: started.process, adminSocket: started.adminSocket, at: linux_uptime_ms())
        } catch let refusal as Refusal {
            text = refusal.text
        } catch let failure as WorkerLauncher.Failure {
            text = failure.text
        } catch {
            text = "\(error)"
        }
        return state.startFailed(key, text: text, at: linux_uptime_ms())
    }

    private func announce(_ event: KeeperEvent) {
        log.line(event.logLine)
        for descriptor in clients.keys.sorted() where clients[descriptor]?.saidHello == true {
            clients[descriptor]?.send(.event(event))
        }
    }
}

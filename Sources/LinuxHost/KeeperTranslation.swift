import KeeperProtocol
import OakumEngine
import OakumModel

extension WorkerID {
    init(_ key: WorkerKey) {
        self.init(service: key.service, number: key.number)
    }
}

extension ProcessIdentity {
    init(_ process: KeptProcess) {
        self.init(pid: process.pid, startTicks: process.startTicks)
    }
}

extension KeptWorker {
    init(_ record: KeptWorkerRecord) {
        self.init(
            id: WorkerID(record.key), release: ReleaseID(keeper: record.release),
            process: ProcessIdentity(record.process), adminSocket: record.adminSocket,
            saidReady: record.saidReady, stopping: record.stopping)
    }
}

extension ReleaseID {
    /// As the keeper was told it; what is no name cannot come from an order of ours.
    init(keeper text: String) {
        self = ReleaseID(text) ?? .configured
    }
}

extension ExitReason {
    init(_ status: ExitStatus) {
        switch status {
        case .code(let code): self = .code(code)
        case .signal(let signal): self = .signal(signal)
        }
    }
}

extension WorkerInventory {
    init(_ inventory: Inventory) {
        var releases: [String: [UInt32: ReleaseID]] = [:]
        for listener in inventory.listeners { releases[listener.service] = [:] }
        for worker in inventory.ordered {
            releases[worker.key.service, default: [:]][worker.key.number] = ReleaseID(keeper: worker.release)
        }
        self.init(
            keeperPID: inventory.keeperPID, order: inventory.generation.map { _ in StandingOrder(workers: releases) },
            workers: inventory.workers.map(KeptWorker.init))
    }
}

extension WorkerSignal {
    init(_ event: KeeperEvent) {
        func seconds(_ milliseconds: UInt32?) -> Double? { milliseconds.map { Double($0) / 1_000 } }
        switch event {
        case .started(let worker): self = .started(KeptWorker(worker))
        case .ready(let key, let process): self = .ready(WorkerID(key), ProcessIdentity(process))
        case .stopping(let key, let process): self = .stopping(WorkerID(key), ProcessIdentity(process))
        case .exited(let key, let process, let status, let restart):
            self = .exited(WorkerID(key), ProcessIdentity(process), ExitReason(status), restartIn: seconds(restart))
        case .startFailed(let key, let text, let restart):
            self = .startFailed(WorkerID(key), text, restartIn: seconds(restart))
        }
    }
}

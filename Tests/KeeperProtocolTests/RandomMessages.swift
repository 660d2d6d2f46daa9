import KeeperProtocol
import OakumTestKit

extension SeededGenerator {
    mutating func word() -> String {
        String((0..<int(0...12)).map { _ in pick(Array("abcXYZ019-_./=: äß日")) ?? "x" })
    }

    mutating func words() -> [String] {
        (0..<int(0...5)).map { _ in word() }
    }

    mutating func number<Value: FixedWidthInteger>() -> Value {
        chance(0.3) ? Value(truncatingIfNeeded: int(0...3)) : Value(truncatingIfNeeded: next())
    }

    mutating func key() -> WorkerKey {
        WorkerKey(service: word(), number: number())
    }

    mutating func process() -> KeptProcess {
        KeptProcess(pid: number(), startTicks: number())
    }

    mutating func service() -> ServiceOrder {
        ServiceOrder(
            name: word(), listen: word(),
            builds: (0..<int(0...3)).map { _ in
                BuildOrder(release: word(), command: words(), environment: words(), folder: word())
            },
            runAs: chance(0.5) ? RunAs(uid: number(), gid: number(), groups: [number(), number()]) : nil,
            stopDeadlineMilliseconds: number(), backoffMinimumMilliseconds: number(),
            backoffMaximumMilliseconds: number(), logCapBytes: number(),
            workers: [WorkerOrder(number: number(), release: word()), WorkerOrder(number: number())])
    }

    mutating func clientMessage() -> ClientMessage {
        switch int(0...3) {
        case 0: .hello(version: number())
        case 1: .apply(Order(generation: number(), services: (0..<int(0...3)).map { _ in service() }))
        case 2: .inspect
        default: .stopAll
        }
    }

    mutating func record() -> KeptWorkerRecord {
        KeptWorkerRecord(
            key: key(), release: word(), process: process(), adminSocket: word(), saidReady: chance(0.5),
            stopping: chance(0.5))
    }

    mutating func listener() -> Listener {
        Listener(service: word(), requested: word(), resolved: word())
    }

    mutating func event() -> KeeperEvent {
        switch int(0...4) {
        case 0: .started(record())
        case 1: .ready(key(), process())
        case 2: .stopping(key(), process())
        case 3:
            .exited(
                key(), process(), chance(0.5) ? .code(number()) : .signal(number()),
                restartInMilliseconds: chance(0.5) ? number() : nil)
        default: .startFailed(key(), word(), restartInMilliseconds: chance(0.5) ? number() : nil)
        }
    }

    mutating func keeperMessage() -> KeeperMessage {
        switch int(0...5) {
        case 0: .hello(version: number(), pid: number())
        case 1:
            .inventory(
                Inventory(
                    keeperPID: number(), generation: chance(0.5) ? number() : nil,
                    ordered: [OrderedWorker(key: key(), release: word()), OrderedWorker(key: key())],
                    listeners: [listener()], workers: (0..<int(0...3)).map { _ in record() }))
        case 2: .applied(generation: number(), listeners: [listener(), listener()])
        case 3: .refused(generation: number(), code: pick(RefusalCode.allCases) ?? .invalid, text: word())
        case 4: .event(event())
        default: .goodbye(word())
        }
    }
}

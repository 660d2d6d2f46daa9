extension KeeperMessage {
    /// The message as a frame; nil when it is longer than a frame may be.
    package func frame() -> [UInt8]? {
        var writer = WireWriter()
        switch self {
        case .hello(let version, let pid):
            writer.put(1 as UInt8)
            writer.put(integer: version)
            writer.put(integer: pid)
        case .inventory(let inventory):
            writer.put(2 as UInt8)
            inventory.write(to: &writer)
        case .applied(let generation, let listeners):
            writer.put(3 as UInt8)
            writer.put(integer: generation)
            writer.put(list: listeners) { $1.write(to: &$0) }
        case .refused(let generation, let code, let text):
            writer.put(4 as UInt8)
            writer.put(integer: generation)
            writer.put(code.rawValue)
            writer.put(text)
        case .event(let event):
            writer.put(5 as UInt8)
            event.write(to: &writer)
        case .goodbye(let text):
            writer.put(6 as UInt8)
            writer.put(text)
        }
        return FrameDecoder.frame(writer.bytes)
    }

    /// Reads the body of a frame.
    package init(body: ArraySlice<UInt8>) throws(WireError) {
        var reader = WireReader(body)
        switch try reader.byte() {
        case 1: self = .hello(version: try reader.integer(), pid: try reader.integer())
        case 2: self = .inventory(try Inventory(from: &reader))
        case 3:
            let generation: UInt64 = try reader.integer()
            self = .applied(
                generation: generation,
                listeners: try reader.list { (reader) throws(WireError) in try Listener(from: &reader) })
        case 4:
            let generation: UInt64 = try reader.integer()
            let choice = try reader.byte()
            guard let code = RefusalCode(rawValue: choice) else { throw .unknownChoice(choice) }
            self = .refused(generation: generation, code: code, text: try reader.text())
        case 5: self = .event(try KeeperEvent(from: &reader))
        case 6: self = .goodbye(try reader.text())
        case let other: throw .unknownMessage(other)
        }
    }
}

extension WorkerKey {
    func write(to writer: inout WireWriter) {
        writer.put(service)
        writer.put(integer: number)
    }

    init(from reader: inout WireReader) throws(WireError) {
        service = try reader.text()
        number = try reader.integer()
    }
}

extension KeptProcess {
    func write(to writer: inout WireWriter) {
        writer.put(integer: pid)
        writer.put(integer: startTicks)
    }

    init(from reader: inout WireReader) throws(WireError) {
        pid = try reader.integer()
        startTicks = try reader.integer()
    }
}

extension Listener {
    func write(to writer: inout WireWriter) {
        writer.put(service)
        writer.put(requested)
        writer.put(resolved)
    }

    init(from reader: inout WireReader) throws(WireError) {
        service = try reader.text()
        requested = try reader.text()
        resolved = try reader.text()
    }
}

extension OrderedWorker {
    func write(to writer: inout WireWriter) {
        key.write(to: &writer)
        writer.put(release)
    }

    init(from reader: inout WireReader) throws(WireError) {
        key = try WorkerKey(from: &reader)
        release = try reader.text()
    }
}

extension KeptWorkerRecord {
    func write(to writer: inout WireWriter) {
        key.write(to: &writer)
        writer.put(release)
        process.write(to: &writer)
        writer.put(adminSocket)
        writer.put(saidReady)
        writer.put(stopping)
    }

    init(from reader: inout WireReader) throws(WireError) {
        key = try WorkerKey(from: &reader)
        release = try reader.text()
        process = try KeptProcess(from: &reader)
        adminSocket = try reader.text()
        saidReady = try reader.bool()
        stopping = try reader.bool()
    }
}

extension Inventory {
    func write(to writer: inout WireWriter) {
        writer.put(integer: keeperPID)
        writer.put(optional: generation) { $0.put(integer: $1) }
        writer.put(list: ordered) { $1.write(to: &$0) }
        writer.put(list: listeners) { $1.write(to: &$0) }
        writer.put(list: workers) { $1.write(to: &$0) }
    }

    init(from reader: inout WireReader) throws(WireError) {
        keeperPID = try reader.integer()
        generation = try reader.optional { (reader) throws(WireError) in try reader.integer() }
        ordered = try reader.list { (reader) throws(WireError) in try OrderedWorker(from: &reader) }
        listeners = try reader.list { (reader) throws(WireError) in try Listener(from: &reader) }
        workers = try reader.list { (reader) throws(WireError) in try KeptWorkerRecord(from: &reader) }
    }
}

extension ExitStatus {
    func write(to writer: inout WireWriter) {
        switch self {
        case .code(let code):
            writer.put(1 as UInt8)
            writer.put(integer: code)
        case .signal(let signal):
            writer.put(2 as UInt8)
            writer.put(integer: signal)
        }
    }

    init(from reader: inout WireReader) throws(WireError) {
        switch try reader.byte() {
        case 1: self = .code(try reader.integer())
        case 2: self = .signal(try reader.integer())
        case let other: throw .unknownChoice(other)
        }
    }
}

extension KeeperEvent {
    func write(to writer: inout WireWriter) {
        switch self {
        case .started(let worker):
            writer.put(1 as UInt8)
            worker.write(to: &writer)
        case .ready(let key, let process):
            writer.put(2 as UInt8)
            key.write(to: &writer)
            process.write(to: &writer)
        case .stopping(let key, let process):
            writer.put(3 as UInt8)
            key.write(to: &writer)
            process.write(to: &writer)
        case .exited(let key, let process, let status, let restart):
            writer.put(4 as UInt8)
            key.write(to: &writer)
            process.write(to: &writer)
            status.write(to: &writer)
            writer.put(optional: restart) { $0.put(integer: $1) }
        case .startFailed(let key, let text, let restart):
            writer.put(5 as UInt8)
            key.write(to: &writer)
            writer.put(text)
            writer.put(optional: restart) { $0.put(integer: $1) }
        }
    }

    init(from reader: inout WireReader) throws(WireError) {
        switch try reader.byte() {
        case 1: self = .started(try KeptWorkerRecord(from: &reader))
        case 2: self = .ready(try WorkerKey(from: &reader), try KeptProcess(from: &reader))
        case 3: self = .stopping(try WorkerKey(from: &reader), try KeptProcess(from: &reader))
        case 4:
            self = .exited(
                try WorkerKey(from: &reader), try KeptProcess(from: &reader), try ExitStatus(from: &reader),
                restartInMilliseconds: try reader.optional { (reader) throws(WireError) in try reader.integer() })
        case 5:
            self = .startFailed(
                try WorkerKey(from: &reader), try reader.text(),
                restartInMilliseconds: try reader.optional { (reader) throws(WireError) in try reader.integer() })
        case let other: throw .unknownChoice(other)
        }
    }
}

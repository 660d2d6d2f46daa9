extension BuildOrder {
    func write(to writer: inout WireWriter) {
        writer.put(release)
        writer.put(list: command) { $0.put($1) }
        writer.put(list: environment) { $0.put($1) }
        writer.put(folder)
    }

    init(from reader: inout WireReader) throws(WireError) {
        release = try reader.text()
        command = try reader.list { (reader) throws(WireError) in try reader.text() }
        environment = try reader.list { (reader) throws(WireError) in try reader.text() }
        folder = try reader.text()
    }
}

extension ServiceOrder {
    func write(to writer: inout WireWriter) {
        writer.put(name)
        writer.put(listen)
        writer.put(list: builds) { $1.write(to: &$0) }
        writer.put(optional: runAs) { writer, user in
            writer.put(integer: user.uid)
            writer.put(integer: user.gid)
            writer.put(list: user.groups) { $0.put(integer: $1) }
        }
        writer.put(integer: stopDeadlineMilliseconds)
        writer.put(integer: backoffMinimumMilliseconds)
        writer.put(integer: backoffMaximumMilliseconds)
        writer.put(integer: logCapBytes)
        writer.put(list: workers) { writer, worker in
            writer.put(integer: worker.number)
            writer.put(worker.release)
        }
    }

    init(from reader: inout WireReader) throws(WireError) {
        name = try reader.text()
        listen = try reader.text()
        builds = try reader.list { (reader) throws(WireError) in try BuildOrder(from: &reader) }
        runAs = try reader.optional { (reader) throws(WireError) in
            RunAs(
                uid: try reader.integer(), gid: try reader.integer(),
                groups: try reader.list { (reader) throws(WireError) in try reader.integer() })
        }
        stopDeadlineMilliseconds = try reader.integer()
        backoffMinimumMilliseconds = try reader.integer()
        backoffMaximumMilliseconds = try reader.integer()
        logCapBytes = try reader.integer()
        workers = try reader.list { (reader) throws(WireError) in
            WorkerOrder(number: try reader.integer(), release: try reader.text())
        }
    }
}

extension Order {
    func write(to writer: inout WireWriter) {
        writer.put(integer: generation)
        writer.put(list: services) { $1.write(to: &$0) }
    }

    init(from reader: inout WireReader) throws(WireError) {
        generation = try reader.integer()
        services = try reader.list { (reader) throws(WireError) in try ServiceOrder(from: &reader) }
    }
}

package import OakumAPI
import OakumModel

extension Engine {
    /// Beyond what a look allows itself, seconds.
    private static var lookPatience: Double { 20 }

    package func heap(_ query: HeapQuery) async throws(ControlError) -> HeapView {
        switch try await look(query, as: nil) {
        case .view(let view): return view
        case .file: throw .failed("the look gave something else than was asked for")
        case .nothing(let why): throw .refused(Self.words(query, why))
        }
    }

    package func heapFile(_ query: HeapQuery, as form: HeapFileForm) async throws(ControlError) -> [UInt8] {
        switch try await look(query, as: form) {
        case .file(let bytes): return bytes
        case .view: throw .failed("the look gave something else than was asked for")
        case .nothing(let why): throw .refused(Self.words(query, why))
        }
    }

    /// One look at a time, for as long as Oakum runs. Who asked and went away does not end it: others may wait too.
    func followLooks() async -> Ending? {
        heapDesk.open()
        for await subject in looks {
            let witness = witness
            let look = await within(seconds: Self.lookPatience) {
                await witness?.look(subject) ?? .nothing("no sampler is installed")
            }
            answer(completed(look ?? .nothing("looking took too long; is the machine busy?"), of: subject))
        }
        heapDesk.close()
        answer(.nothing("oakum is ending"))
        return nil
    }

    /// With what the worker's caches publish of themselves.
    private func completed(_ look: HeapLook, of subject: HeapSubject) -> HeapLook {
        guard case .view(var view) = look, let watch = services[subject.worker.service]?.watches[subject.worker.number],
            watch.process == subject.process
        else { return look }
        for index in view.sites.indices { view.sites[index].cache = watch.completed(view.sites[index].cache) }
        return .view(view)
    }

    private func answer(_ look: HeapLook) {
        heapDesk.finished(look, at: host.now().uptime)
        let waiters = heapWaiters
        heapWaiters = []
        for waiter in waiters { waiter.resume(returning: look) }
    }

    private func look(_ query: HeapQuery, as form: HeapFileForm?) async throws(ControlError) -> HeapLook {
        let process = try await process(of: query)
        let worker = WorkerID(service: query.service, number: query.worker)
        let subject = HeapSubject(worker: worker, process: process, form: form)
        let again = "try again in some seconds"
        switch heapDesk.ask(subject, at: host.now().uptime) {
        case .known(let look): return look
        case .busy(let other) where other == worker:
            throw .refused("the heap of \(other) is being looked at for something else: \(again)")
        case .busy(let other): throw .refused("the heap of \(other) is being looked at: \(again)")
        case .crowded: throw .refused("too many wait for a look into the heap of \(worker): \(again)")
        case .closed: throw .refused("oakum is starting or ending: \(again)")
        case .begin: lookJobs.yield(subject)
        case .wait: break
        }
        return await withCheckedContinuation { heapWaiters.append($0) }
    }

    /// The worker's process; of one that is gone the last it had, as far as the newest events tell.
    private func process(of query: HeapQuery) async throws(ControlError) -> ProcessIdentity {
        guard let service = services[query.service] else { throw unknownService(query.service) }
        guard service.configuration.samplesHeap, witness != nil else {
            throw .refused(
                "the workers of \(query.service) carry no sampler, so their heaps cannot be looked into: set "
                    + "`heap: {sampler: true}` for it in oakum.yaml, start `oakum up` again, and replace its workers with "
                    + "`oakum recycle \(query.service)`")
        }
        if let living = service.watches[query.worker]?.process { return living }
        let events = try await events(EventQuery(limit: 1_000))
        let known = events.last { record in
            record.event.service == query.service && record.event.worker == query.worker && record.event.process != nil
        }
        if let process = known?.event.process { return process }
        let names = service.watches.keys.sorted().map { "\(query.service)/\($0)" }.joined(separator: ", ")
        let there = names.isEmpty ? "none runs" : "there is \(names)"
        throw .notFound(
            "nothing is known of a process of \(query.service)/\(query.worker); \(there)")
    }

    private static func words(_ query: HeapQuery, _ why: String) -> String {
        "the heap of \(query.service)/\(query.worker) cannot be looked into: \(why)"
    }
}

package import OakumAPI
package import OakumModel

/// Looks into a worker's heap from outside, without stopping it.
package protocol HeapWitness: Sendable {
    /// Names what leaks in the process. Takes as long as it takes, up to ten seconds: called from nowhere that must not
    /// wait.
    func examine(_ process: ProcessIdentity, of worker: WorkerID) async -> HeapExamination
    /// All that can be seen in the heap of a process, or in what it left. Takes up to eighteen seconds.
    func look(_ subject: HeapSubject) async -> HeapLook
    /// Called once a minute: keeps earlier moments of living heaps, so that growth can be told; what dead workers left is
    /// to be bounded, also when they die again and again.
    func tidy() async
}

/// What looking into a heap gave.
package enum HeapExamination: Hashable, Sendable {
    /// The sites that leak, the largest first; never empty.
    case named([HeapFinding])
    /// Nothing could be named, and why, in words: no sampler, no right, too few samples, the process is gone.
    case nothing(String)
}

/// What somebody wants to see.
package struct HeapSubject: Hashable, Sendable {
    package var worker: WorkerID
    package var process: ProcessIdentity
    /// For another tool; nil: for Oakum itself.
    package var form: HeapFileForm?

    package init(worker: WorkerID, process: ProcessIdentity, form: HeapFileForm? = nil) {
        self.worker = worker
        self.process = process
        self.form = form
    }
}

/// What a look asked for by a person gave.
package enum HeapLook: Hashable, Sendable {
    case view(HeapView)
    case file([UInt8])
    /// Why nothing can be seen, in words.
    case nothing(String)
}

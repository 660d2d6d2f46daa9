package import OakumModel

/// Looks into a worker's heap from outside, without stopping it.
package protocol HeapWitness: Sendable {
    /// Names what leaks in the process. Takes as long as it takes, up to ten seconds: called from nowhere that must not
    /// wait.
    func examine(_ process: ProcessIdentity, of worker: WorkerID) async -> HeapExamination
    /// Called once a minute: what dead workers left is to be bounded, also when they die again and again.
    func tidy() async
}

/// What looking into a heap gave.
package enum HeapExamination: Hashable, Sendable {
    /// The sites that leak, the largest first; never empty.
    case named([HeapFinding])
    /// Nothing could be named, and why, in words: no sampler, no right, too few samples, the process is gone.
    case nothing(String)
}

import OakumModel

extension HeapExamination {
    /// The event that tells it.
    func event(of worker: WorkerID, process: ProcessIdentity, at now: Moment) -> Event {
        switch self {
        case .named(let findings):
            let sentences = findings.prefix(3).map(\.sentence)
            return Event(
                kind: .leakNamed, at: now, service: worker.service, worker: worker.number, process: process,
                message: "\(worker): \(sentences.joined(separator: "; "))", heap: findings)
        case .nothing(let reason):
            return Event(
                kind: .leakNotNamed, at: now, service: worker.service, worker: worker.number, process: process,
                message: "\(worker): what grows could not be named: \(reason)")
        }
    }
}

extension HeapFinding {
    /// "24 MiB (81 % of what lives) from keep(_:) (Fault.swift:31), 98 % of it never freed: [UInt8] held by …".
    package var sentence: String {
        var text = "\(ByteCount(liveBytes)) (\(Words.fixed(share * 100, 0)) % of what lives) from \(site)"
        if let neverFreed { text += ", \(Words.fixed(neverFreed.estimate * 100, 0)) % of it never freed" }
        if let cache { text += ", \(cache.words)" }
        if !chain.isEmpty {
            text += ": " + chain.reversed().joined(separator: " held by ")
        } else if let type {
            text += ": \(type)"
        }
        return text
    }
}

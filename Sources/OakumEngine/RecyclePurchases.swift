import OakumModel
import Recycling

/// What recycles bought: time, never a cure. Remembers the slope before each and compares it with the successor's.
///
/// Bounded by the number of living workers: an entry goes when its worker does.
struct RecyclePurchases: Sendable {
    private struct Leaving: Sendable {
        var slope: Double?
        var grownBytes: Double?
    }

    private struct Purchase: Sendable {
        var slopeBefore: Double?
        var predicted: Double?
        var servingSince: Uptime
        var judged = false
    }

    private var leaving: [UInt32: Leaving] = [:]
    private var bought: [UInt32: Purchase] = [:]

    /// A worker is about to be replaced. When it was itself bought by a recycle, tells how long that lasted.
    mutating func begin(
        _ request: RecycleRequest, watch: WorkerWatch?, service: String, at now: Moment
    ) -> Event? {
        guard let watch else { return nil }
        let growth = watch.latest.flatMap { latest in watch.freshFloor.map { Double(latest.rss.bytes - $0.bytes) } }
        let slope = watch.verdict.code == .leak ? watch.verdict.slope?.estimate : nil
        leaving[request.worker] = Leaving(slope: slope, grownBytes: growth)
        guard let purchase = bought[request.worker], request.cause != .byHand else { return nil }
        let observed = now.uptime - purchase.servingSince
        var facts = ["observed_s": Words.fixed(observed, 1)]
        if let predicted = purchase.predicted { facts["predicted_s"] = Words.fixed(predicted, 1) }
        let expected = purchase.predicted.map { ", \(Words.seconds($0)) were expected" } ?? ""
        return Event(
            kind: .slopeAfterwards, at: now, service: service, worker: request.worker, process: watch.process,
            message: "\(service)/\(request.worker) lasted \(Words.seconds(observed))\(expected): "
                + "the last recycle bought time, the cause is still there",
            verdict: watch.verdict, facts: facts)
    }

    /// The successor serves and the old worker is gone. Returns the seconds this is expected to have bought.
    mutating func finish(_ request: RecycleRequest, successor: UInt32, servingSince: Uptime) -> Double? {
        let left = leaving.removeValue(forKey: request.worker)
        bought[request.worker] = nil
        var predicted: Double?
        if let slope = left?.slope, slope > 0, let grown = left?.grownBytes, grown > 0 { predicted = grown / slope }
        bought[successor] = Purchase(slopeBefore: left?.slope, predicted: predicted, servingSince: servingSince)
        return predicted
    }

    /// The successor's verdict became a leak, or it has stayed without one for ten minutes: told once.
    mutating func judge(_ number: UInt32, watch: WorkerWatch, service: String, at now: Moment) -> Event? {
        guard let purchase = bought[number], !purchase.judged, let before = purchase.slopeBefore else { return nil }
        let leaks = watch.verdict.code == .leak
        guard leaks || now.uptime - purchase.servingSince >= 600 else { return nil }
        bought[number]?.judged = true
        var facts = ["slope_before_bytes_per_s": Words.fixed(before, 0)]
        if let predicted = purchase.predicted { facts["predicted_s"] = Words.fixed(predicted, 1) }
        var message =
            "\(service)/\(number) shows no leak 10 min after its recycle; before it grew \(Words.rate(before))"
        if leaks, let after = watch.verdict.slope?.estimate {
            facts["slope_after_bytes_per_s"] = Words.fixed(after, 0)
            let time = purchase.predicted.map { "about \(Words.seconds($0))" } ?? "time"
            message =
                "\(service)/\(number) grows by \(Words.rate(after)), its predecessor by \(Words.rate(before)): "
                + "the recycle bought \(time), it fixed nothing"
        }
        return Event(
            kind: .slopeAfterwards, at: now, service: service, worker: number, process: watch.process,
            message: message, verdict: watch.verdict, facts: facts)
    }

    mutating func forget(_ number: UInt32) {
        leaving[number] = nil
        bought[number] = nil
    }
}

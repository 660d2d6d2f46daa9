import CCurl

/// Transfers waiting and running. Lives on the engine's thread alone.
struct TransferTable {
    private let multi: UnsafeMutableRawPointer
    private let maxConcurrent: Int
    /// First come, first served; bounded by the engine.
    private var waiting: [Transfer] = []
    private var running: [UnsafeMutableRawPointer: EasyTransfer] = [:]

    init(multi: UnsafeMutableRawPointer, maxConcurrent: Int) {
        self.multi = multi
        self.maxConcurrent = maxConcurrent
    }

    var waitingCount: Int { waiting.count }

    mutating func enqueue(_ transfers: [Transfer]) {
        waiting.append(contentsOf: transfers)
    }

    mutating func abandon(_ transfers: [Transfer]) {
        for transfer in transfers {
            if let index = waiting.firstIndex(where: { $0 === transfer }) {
                waiting.remove(at: index)
            } else if let (handle, _) = running.first(where: { $0.value.transfer === transfer }) {
                remove(handle)
            }
        }
    }

    /// Starts what fits, lets libcurl work, hands out what is done. Returns how long to wait for the next event, in ms.
    mutating func drive(now: Double) -> Int32 {
        expire(now: now)
        startWaiting(now: now)
        var active: Int32 = 0
        curl_multi_perform(multi, &active)
        if collect() {
            startWaiting(now: now)
            curl_multi_perform(multi, &active)
        }
        // A new transfer's first steps, or one that finished at once, need another round without waiting.
        return collect() ? 0 : pauseMilliseconds(now: now)
    }

    mutating func endAll() {
        for transfer in waiting {
            transfer.finish(.failure(.cancelled))
        }
        waiting.removeAll()
        for (handle, easy) in running {
            easy.transfer.finish(.failure(.cancelled))
            remove(handle)
        }
    }

    private mutating func expire(now: Double) {
        guard !waiting.isEmpty else { return }
        waiting.removeAll { transfer in
            guard transfer.deadline <= now else { return transfer.isFinished }
            transfer.finish(.failure(.timedOut("no free slot for an outgoing request within its timeout")))
            return true
        }
    }

    private mutating func startWaiting(now: Double) {
        while running.count < maxConcurrent, !waiting.isEmpty {
            let transfer = waiting.removeFirst()
            // Cancelled on its way here.
            guard !transfer.isFinished else { continue }
            do throws(OutboundError) {
                let easy = try EasyTransfer(transfer: transfer, remainingSeconds: transfer.deadline - now)
                let code = curl_multi_add_handle(multi, easy.handle)
                guard code == CURLM_OK else {
                    easy.free()
                    throw .failed("libcurl: \(String(cString: curl_multi_strerror(code)))")
                }
                running[easy.handle] = easy
            } catch {
                transfer.finish(.failure(error))
            }
        }
    }

    /// Whether anything was done.
    private mutating func collect() -> Bool {
        var code = CURLE_OK
        var any = false
        while let handle = ccurl_multi_next_done(multi, &code) {
            guard let easy = running[handle] else { continue }
            any = true
            let outcome = easy.outcome(code)
            remove(handle)
            easy.transfer.finish(outcome)
        }
        return any
    }

    private mutating func remove(_ handle: UnsafeMutableRawPointer) {
        guard let easy = running.removeValue(forKey: handle) else { return }
        curl_multi_remove_handle(multi, handle)
        easy.free()
    }

    /// libcurl shortens the wait for its own timers; only waiting transfers need ours.
    private func pauseMilliseconds(now: Double) -> Int32 {
        let hour = 3_600_000.0
        let next = waiting.map { ($0.deadline - now) * 1000 }.min() ?? hour
        return Int32(min(max(next.rounded(.up), 1), hour))
    }
}

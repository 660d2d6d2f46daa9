/// Least recently used, by the book: a dictionary and a linked list. Its hit ratios are known for the public traces, so
/// they prove that these are read as everybody reads them.
struct ReferenceLRU {
    private struct Node {
        var key: UInt64
        var weight: Int
        var newer: Int
        var older: Int
    }

    private let capacity: Int
    private var held = 0
    private var places: [UInt64: Int] = [:]
    private var nodes: [Node] = []
    private var free: [Int] = []
    private var newest = -1
    private var oldest = -1

    /// - Parameter capacity: bound on the sum of the weights.
    init(capacity: Int) {
        self.capacity = capacity
    }

    /// One use of a key: true when it was there. When it was not it is now, unless it is heavier than the capacity.
    mutating func access(_ key: UInt64, weight: Int) -> Bool {
        if let place = places[key] {
            unlink(place)
            link(place)
            return true
        }
        guard weight <= capacity else { return false }
        while held + weight > capacity { evict() }
        let node = Node(key: key, weight: weight, newer: -1, older: -1)
        let place: Int
        if let reused = free.popLast() {
            place = reused
            nodes[place] = node
        } else {
            place = nodes.count
            nodes.append(node)
        }
        places[key] = place
        held += weight
        link(place)
        return false
    }

    private mutating func evict() {
        let place = oldest
        unlink(place)
        held -= nodes[place].weight
        places[nodes[place].key] = nil
        free.append(place)
    }

    private mutating func link(_ place: Int) {
        nodes[place].older = newest
        nodes[place].newer = -1
        if newest >= 0 { nodes[newest].newer = place } else { oldest = place }
        newest = place
    }

    private mutating func unlink(_ place: Int) {
        let node = nodes[place]
        if node.newer >= 0 { nodes[node.newer].older = node.older } else { newest = node.older }
        if node.older >= 0 { nodes[node.older].newer = node.newer } else { oldest = node.newer }
    }
}

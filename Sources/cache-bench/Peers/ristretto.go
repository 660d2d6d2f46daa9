// Times look-ups in Ristretto as SpeedBench does for the others: 10,000 entries that fit, keys in random order.
// Prints nanoseconds a look-up with one goroutine and with two, and the percent of look-ups that were hits (its write
// buffer may have dropped some of the entries).
package main

import (
	"fmt"
	"math/rand"
	"sync"
	"time"

	"github.com/dgraph-io/ristretto"
)

const (
	entries = 10000
	lookups = 100000
	rounds  = 60
)

func main() {
	cache, err := ristretto.NewCache(&ristretto.Config{NumCounters: 10 * entries, MaxCost: 2 * entries, BufferItems: 64})
	if err != nil {
		panic(err)
	}
	for pass := 0; pass < 10; pass++ {
		for key := uint64(0); key < entries; key++ {
			cache.Set(key, key, 1)
		}
		time.Sleep(20 * time.Millisecond) // it applies writes in the background
	}
	keys := make([]uint64, 1<<16)
	for index := range keys {
		keys[index] = uint64(rand.Intn(entries))
	}
	one, hits := best(cache, keys, 1)
	two, _ := best(cache, keys, 2)
	fmt.Printf("%.2f %.2f %.2f\n", one, two, hits)
}

// Nanoseconds of wall time for each look-up of all goroutines together, the best of the rounds.
func best(cache *ristretto.Cache, keys []uint64, workers int) (float64, float64) {
	least, hits := 0.0, 0
	for round := 0; round < rounds; round++ {
		var group sync.WaitGroup
		found := make([]int, workers*16)
		start := time.Now()
		for worker := 0; worker < workers; worker++ {
			group.Add(1)
			go func(worker int) {
				defer group.Done()
				count := 0
				for turn := 0; turn < lookups; turn++ {
					if _, ok := cache.Get(keys[(turn+worker*7919)&(len(keys)-1)]); ok {
						count++
					}
				}
				found[worker*16] = count
			}(worker)
		}
		group.Wait()
		elapsed := float64(time.Since(start).Nanoseconds()) / float64(lookups*workers)
		if round == 0 || elapsed < least {
			least, hits = elapsed, found[0]
		}
	}
	return least, 100 * float64(hits) / lookups
}

package scene

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"foyer/api"
)

const marker = "王安娜 13800138000"

// fill puts the marker into every text of a value, however deep, and something into every number.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(marker)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Date(2026, 6, 14, 12, 0, 0, 0, time.UTC)))
			return
		}
		for _, field := range v.Fields() {
			if field.CanSet() {
				fill(field)
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(v.Index(i))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(value)
		if key.Kind() == reflect.String {
			key.SetString("en")
		}
		v.SetMapIndex(key, value)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Bool:
		v.SetBool(true)
	}
}

// Whatever a state holds, also what is added to it later: masked, it holds no text of a person. What is the shop's stays.
func TestMaskedHoldsNobody(t *testing.T) {
	var k Kiosk
	var w Wall
	fill(reflect.ValueOf(&k).Elem())
	fill(reflect.ValueOf(&w).Elem())
	offers := []api.Offer{{Campaign: "a", Art: "cup", Title: api.Text{"en": marker}, Text: api.Text{"en": marker}}, {Campaign: "b", Title: api.Text{"en": marker}}}
	shop := Shop{Showcase: []api.Offer{{Campaign: "b", Title: api.Text{"en": "for all"}}}}
	k.Language, k.Shop, k.Guest.Offers, k.Guest.Language, k.Use.Offer = "en", shop, offers, "en", "a"
	w.Language, w.Shop = "en", shop
	for i := range w.Guests {
		w.Guests[i].Offers, w.Guests[i].Language = offers, "en"
	}
	for name, state := range map[string]any{"kiosk": k.Masked(), "wall": w.Masked()} {
		text, err := json.Marshal(state)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "安娜") || strings.Contains(string(text), "138") {
			t.Errorf("%s: %s", name, text)
		}
		if !strings.Contains(string(text), "for all") {
			t.Errorf("%s: the shop's offer is gone: %s", name, text)
		}
	}
	if m := k.Masked(); m.Guest.Visit == k.Guest.Visit || len(m.Line) > 0 || m.Guest.Festive {
		t.Errorf("masked is %+v", m)
	}
}

// The store says in which language its screens speak to nobody in particular. A guest is spoken to in their own.
func TestLanguageOfTheStore(t *testing.T) {
	s := whole()
	s.Status.Language = "en"
	zh := Rules{Languages: []string{"zh-CN", "en"}, Language: "zh-CN"}
	k, _ := zh.Next(Kiosk{}, s, start)
	w := zh.NextWall(Wall{}, s, start)
	if k.Language != "en" || w.Language != "en" {
		t.Errorf("kiosk speaks %s, wall %s", k.Language, w.Language)
	}
	k, _ = zh.Next(k, Greeted{wang()}, start)
	if k.Scene != Greet || k.Language != "zh-CN" {
		t.Errorf("a guest is greeted in %s, scene %v", k.Language, k.Scene)
	}
	k, _ = zh.Next(k, Departed{wang().Visit}, start)
	if k, _ = zh.Next(k, Tick{}, start); k.Scene != Attract || k.Language != "en" {
		t.Errorf("afterwards %v in %s", k.Scene, k.Language)
	}
	if k, _ = zh.Next(k, Status{}, start); k.Language != "zh-CN" {
		t.Errorf("with no word of the store, %s", k.Language)
	}
}
